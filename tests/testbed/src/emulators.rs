//! moto and ministack.
