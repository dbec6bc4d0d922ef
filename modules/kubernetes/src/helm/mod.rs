//! Live Helm, through the real `helm` program.
