//! The shipped runbooks, whole and live. Tests begin in the order of their names, and these take the longest, most of it waiting: begun
//! first, they leave the processor to the others.

mod redis_ha;
mod systems;
