//! The integration tests, as one binary.

mod architecture;
mod json;
mod json_oracle;
mod samples;
