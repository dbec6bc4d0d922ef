//! The quotas that the sandbox knows, with the values of an account that nobody has raised them for.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>,
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html>.

/// A quota: service, code, name and value.
type Known = (&'static str, &'static str, &'static str, u32);

/// AWS gives a new account 5 processors, and raises that by itself as the account is used. The value here is made up, and roomy: what
/// an account in use has differs from one to the next.
const PROCESSORS: Known =
    ("ec2", "L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 256);

const ALL: [Known; 7] = [
    ("vpc", "L-F678F1CE", "VPCs per Region", 5),
    ("vpc", "L-FE5A380F", "NAT gateways per Availability Zone", 5),
    ("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5),
    PROCESSORS,
    ("elasticloadbalancing", "L-69A177A2", "Network Load Balancers per Region", 50),
    ("elasticloadbalancing", "L-53DA6B97", "Application Load Balancers per Region", 50),
    ("rds", "L-7B6409FD", "DB instances", 40),
];

/// Name and value of a quota; None for one that the sandbox does not know.
pub(super) fn quota(service_code: &str, quota_code: &str) -> Option<(&'static str, u32)> {
    let found = ALL.iter().find(|(service, code, ..)| (*service, *code) == (service_code, quota_code));
    found.map(|(_, _, name, value)| (*name, *value))
}
