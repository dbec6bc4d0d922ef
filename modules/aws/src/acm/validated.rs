//! `wait_certificate_validated`.

use runbook_modules::{
    input,
    operation::{Class, Operation, Settle},
};

use super::certificate::{self, Describe, issued};

/// The operation `acm.wait_certificate_validated`.
pub static WAIT: Operation = Operation {
    name: "acm.wait_certificate_validated",
    operation: "DescribeCertificate",
    doc: "Waits until a certificate is issued, naming the DNS records that are still lacking. \
          [DescribeCertificate](https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html)",
    class: Class::Read,
    schema: input::schema::<Describe>,
    check: input::check::<Describe>,
    token: None,
    settle: Some(Settle { poll: "acm.wait_certificate_validated", input: |input, _| input.clone(), judge: issued }),
    sim: certificate::DESCRIBE.sim,
};
