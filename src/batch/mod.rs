//! The main job: a directory in, reports out, again and again.
