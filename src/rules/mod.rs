//! Detection rules in files: what they are, how they are to be run where they are installed, and how they are checked, run and
//! tested here.

pub mod customize;
pub mod execute;
pub mod folder;
pub mod inspect;
pub mod layout;
pub mod shipped;
pub mod testing;
