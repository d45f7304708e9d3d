//! Rows of numbers: what every voice of this floor learns from and scores.
//!
//! A [`Matrix`] holds only finite numbers and whole rows, so nobody downstream asks again. Voices that need no more
//! than single values take a [`Table`], which bytes implement too, without a copy.

use thiserror::Error;

/// Values by row and column; what a voice can learn from.
pub trait Table: Sync {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Number of columns.
    fn columns(&self) -> usize;
    /// One value. Finite. Panics when out of range.
    fn value(&self, row: usize, column: usize) -> f64;
}

/// Why numbers do not make a [`Matrix`].
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MatrixError {
    /// The last row is cut off.
    #[error("expected whole rows of {columns} values, found {values} values")]
    Ragged {
        /// Values per row.
        columns: usize,
        /// Values found.
        values: usize,
    },
    /// Not a number, or infinite.
    #[error("expected a finite number in row {row}, column {column} (counted from 1)")]
    NotFinite {
        /// Row, from 1.
        row: usize,
        /// Column, from 1.
        column: usize,
    },
}

/// Finite numbers, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    values: Vec<f64>,
    columns: usize,
}

impl Matrix {
    /// Takes row-major values. Without columns there must be no values.
    ///
    /// # Errors
    /// When the last row is incomplete or a value is not finite.
    pub fn new(values: Vec<f64>, columns: usize) -> Result<Self, MatrixError> {
        if (columns == 0 && !values.is_empty()) || (columns > 0 && !values.len().is_multiple_of(columns)) {
            return Err(MatrixError::Ragged { columns, values: values.len() });
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(MatrixError::NotFinite { row: at / columns + 1, column: at % columns + 1 }),
            None => Ok(Self { values, columns }),
        }
    }

    /// One row. Panics when out of range.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }

    /// One column, copied.
    pub fn column(&self, column: usize) -> impl Iterator<Item = f64> + '_ {
        self.values.iter().skip(column).step_by(self.columns.max(1)).copied()
    }
}

impl Table for Matrix {
    fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn value(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }
}

/// A number per row; the same for any number of threads.
pub(super) fn map_rows<T: Send + Clone + Default>(
    matrix: &Matrix,
    threads: usize,
    number: impl Fn(&[f64]) -> T + Sync,
) -> Vec<T> {
    let mut numbers = vec![T::default(); matrix.rows()];
    let chunk = matrix.rows().div_ceil(threads.max(1)).max(1);
    let number = &number;
    std::thread::scope(|scope| {
        for (index, part) in numbers.chunks_mut(chunk).enumerate() {
            scope.spawn(move || {
                for (offset, place) in part.iter_mut().enumerate() {
                    *place = number(matrix.row(index * chunk + offset));
                }
            });
        }
    });
    numbers
}

/// Bytes, row-major, seen as numbers.
#[derive(Debug, Clone, Copy)]
pub struct ByteRows<'a> {
    bytes: &'a [u8],
    columns: usize,
}

impl<'a> ByteRows<'a> {
    /// Takes row-major bytes; an incomplete last row is left out.
    #[must_use]
    pub const fn new(bytes: &'a [u8], columns: usize) -> Self {
        Self { bytes, columns }
    }
}

impl Table for ByteRows<'_> {
    fn rows(&self) -> usize {
        self.bytes.len().checked_div(self.columns).unwrap_or(0)
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn value(&self, row: usize, column: usize) -> f64 {
        f64::from(self.bytes[row * self.columns + column])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_rows_of_finite_numbers_make_a_matrix() {
        assert_eq!(Matrix::new(vec![1.0; 5], 2), Err(MatrixError::Ragged { columns: 2, values: 5 }));
        assert_eq!(Matrix::new(vec![1.0], 0), Err(MatrixError::Ragged { columns: 0, values: 1 }));
        let hole = Matrix::new(vec![1.0, 2.0, 3.0, f64::NAN], 2);
        assert_eq!(hole, Err(MatrixError::NotFinite { row: 2, column: 2 }));
        let empty = Matrix::new(Vec::new(), 3).unwrap();
        assert_eq!((empty.rows(), empty.columns()), (0, 3));
        let matrix = Matrix::new(vec![1.0, 2.0, 3.0, 4.0], 2).unwrap();
        assert_eq!(matrix.row(1), [3.0, 4.0]);
        assert_eq!(matrix.column(1).collect::<Vec<_>>(), [2.0, 4.0]);
    }
}
