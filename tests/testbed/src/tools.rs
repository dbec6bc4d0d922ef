//! Where the programs of the testbed are.
