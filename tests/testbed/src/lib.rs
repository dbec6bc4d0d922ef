//! What the tests run against: real Kubernetes control planes, AWS emulators behind a fault proxy, and stand-ins for what would
//! run in pods. Everything listens on the loopback, on free ports.
