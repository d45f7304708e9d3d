//! A row in its episode: what stands out around it, on the same entity and within minutes, lifts it.
//!
//! An attack is seldom one act. Its steps follow each other on one host or account, and among them are some that say
//! little by themselves. So every row gets, beside its own score, the root of what the other rows of its entity exceed
//! the ordinary by, each weighted down with its distance in time, before as well as after. The root, because evidence
//! of one cause repeats itself: a hundred odd rows tell more than one, but not a hundred times as much. Only excess
//! counts: an entity that is busy with ordinary things lifts nothing.

/// Where and when a row happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Whom it concerns: a number per host, account or address.
    pub entity: u32,
    /// When, in any unit. Not a number is never near anything.
    pub time: f64,
}

/// How far an episode reaches, and how much it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpisodeOptions {
    /// Distance in time, in the unit of the places, at which a row counts for 1/e.
    pub reach: f64,
    /// How much the episode counts beside the row's own score.
    pub weight: f64,
}

/// Strength from which a row stands out: one spread above the average.
const STANDS_OUT: f64 = 1.0;

/// Scores with the share of each row's episode added.
///
/// The scores are strengths as [`super::fuse::Ensemble::strength`] gives them: 0 for an average row, in spreads. The
/// order of the rows does not matter. Panics when there are not as many places as scores.
#[must_use]
pub fn lift(strengths: &[f64], places: &[Place], options: EpisodeOptions) -> Vec<f64> {
    assert_eq!(strengths.len(), places.len(), "a place for every score");
    let mut order: Vec<usize> = (0..places.len()).filter(|&row| !places[row].time.is_nan()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&places[a], &places[b]);
        a.entity.cmp(&b.entity).then(a.time.total_cmp(&b.time))
    });
    let excess = |row: usize| (strengths[row] - STANDS_OUT).max(0.0);
    let mut around = vec![0.0; strengths.len()];
    for same in order.chunk_by(|&a, &b| places[a].entity == places[b].entity) {
        trail(same.iter().copied(), places, options.reach, &excess, &mut around);
        trail(same.iter().rev().copied(), places, options.reach, &excess, &mut around);
    }
    strengths.iter().zip(around).map(|(strength, around)| strength + options.weight * around.sqrt()).collect()
}

/// Adds to every row what the rows before it, in the order given, leave behind.
fn trail(
    rows: impl Iterator<Item = usize>,
    places: &[Place],
    reach: f64,
    excess: &dyn Fn(usize) -> f64,
    around: &mut [f64],
) {
    let (mut left, mut last) = (0.0, f64::NAN);
    for row in rows {
        let distance = (places[row].time - last).abs();
        // Two infinite times have no distance: they are the same moment.
        if distance > 0.0 {
            left *= (-distance / reach).exp();
        }
        around[row] += left;
        left += excess(row);
        last = places[row].time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: EpisodeOptions = EpisodeOptions { reach: 5.0, weight: 0.5 };

    fn at(entity: u32, time: f64) -> Place {
        Place { entity, time }
    }

    #[test]
    fn neighbors_in_time_on_the_same_entity_lift_and_nothing_else_does() {
        let places = [at(1, 0.0), at(1, 5.0), at(1, 5.0), at(2, 5.0), at(1, 500.0)];
        let lifted = lift(&[5.0, 0.0, 2.0, 0.0, 3.0], &places, OPTIONS);
        let e = (-1.0_f64).exp();
        let expected = [5.0 + 0.5 * e.sqrt(), 0.5 * (4.0 * e + 1.0).sqrt(), 2.0 + 0.5 * (4.0 * e).sqrt(), 0.0, 3.0];
        for (row, (lifted, expected)) in lifted.iter().zip(expected).enumerate() {
            assert!((lifted - expected).abs() < 1e-9, "{row}: {lifted} instead of {expected}");
        }
    }

    #[test]
    fn busy_with_ordinary_things_is_no_episode_and_nobody_lifts_itself() {
        let places: Vec<Place> = (0..1000).map(|row| at(7, f64::from(row) / 100.0)).collect();
        let mut strengths = vec![0.9; 1000];
        assert_eq!(lift(&strengths, &places, OPTIONS), strengths);
        strengths[500] = 6.0;
        let lifted = lift(&strengths, &places, OPTIONS);
        assert_eq!(lifted[500], 6.0);
        assert!(lifted[501] > lifted[800] && lifted[499] > lifted[200] && lifted[999] > 0.9);
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter() {
        let places: Vec<Place> = (0..60).map(|row| at(row % 3, f64::from(row * 37 % 50))).collect();
        let strengths: Vec<f64> = (0..60).map(|row| f64::from(row * 17 % 11) - 3.0).collect();
        let forward = lift(&strengths, &places, OPTIONS);
        let mut rows: Vec<(f64, Place)> = strengths.into_iter().zip(places).collect();
        rows.reverse();
        let (strengths, places): (Vec<f64>, Vec<Place>) = rows.into_iter().unzip();
        let mut backward = lift(&strengths, &places, OPTIONS);
        backward.reverse();
        assert!(forward.iter().zip(&backward).all(|(a, b)| (a - b).abs() < 1e-9));
    }

    #[test]
    fn no_rows_and_strange_times_stay_finite() {
        assert!(lift(&[], &[], OPTIONS).is_empty());
        let times = [f64::NAN, f64::NEG_INFINITY, f64::INFINITY, f64::INFINITY, 0.0];
        let lifted = lift(&[4.0; 5], &times.map(|time| at(0, time)), OPTIONS);
        assert!(lifted.iter().all(|score| score.is_finite()), "{lifted:?}");
        assert_eq!([lifted[0], lifted[1], lifted[4]], [4.0; 3]);
        assert!(lifted[2] > 4.0 && lifted[2] == lifted[3]);
    }
}
