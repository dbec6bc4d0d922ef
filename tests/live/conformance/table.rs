//! The results as markdown: the counts, then a table for each service.

use super::{Row, case::Verdict};

const BEGIN: &str = "<!-- conformance: written by tests/live/conformance -->";
const END: &str = "<!-- conformance: end -->";

/// The counts and the tables.
pub fn render(rows: &[Row]) -> String {
    let mut text =
        String::from("| target | right | does something else | does not know the call |\n|---|---|---|---|\n");
    for (target, name) in ["sandbox", "moto", "ministack"].into_iter().enumerate() {
        let count = |wanted: fn(&Verdict) -> bool| rows.iter().filter(|row| wanted(row.verdicts()[target])).count();
        let right = count(|v| *v == Verdict::Right);
        let different = count(|v| matches!(v, Verdict::Different(_)));
        let unsupported = count(|v| matches!(v, Verdict::Unsupported(_)));
        text.push_str(&format!("| {name} | {right} of {} | {different} | {unsupported} |\n", rows.len()));
    }
    let mut service = "";
    for row in rows {
        let own = row.case.page.split('/').next().unwrap_or_default();
        let heading = heading(own);
        if heading != service {
            service = heading;
            text.push_str(&format!(
                "\n### {heading}\n\n| case | AWS | sandbox | moto | ministack |\n|---|---|---|---|---|\n"
            ));
        }
        let page = row.case.page.split('/').next_back().unwrap_or_default();
        let aws = format!("{} ([{page}]({}))", row.case.aws, row.case.address());
        let [sandbox, moto, ministack] = row.verdicts().map(cell);
        text.push_str(&format!("| {} | {aws} | {sandbox} | {moto} | {ministack} |\n", row.case.name));
    }
    text
}

fn heading(service: &str) -> &'static str {
    match service {
        "eks" => "EKS",
        "iam" => "IAM",
        "route53" => "Route 53",
        "cloudmap" => "Cloud Map",
        "sts" => "STS",
        "s3" => "S3",
        "sqs" => "SQS",
        "events" => "EventBridge",
        "logs" => "CloudWatch Logs",
        "kms" => "KMS",
        "secretsmanager" => "Secrets Manager",
        "ecr" => "ECR",
        "acm" => "Certificate Manager",
        "elbv2" => "Elastic Load Balancing",
        "wafv2" => "WAF",
        "rds" => "RDS",
        "cloudwatch" => "CloudWatch",
        "ssm" | "ssm-eks" => "Systems Manager",
        "autoscaling" => "Auto Scaling",
        "account" => "Account Management",
        "servicequotas" => "Service Quotas",
        _ => "EC2",
    }
}

fn cell(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Right => "right".to_owned(),
        Verdict::Different(text) => text.replace('|', "\\|").replace('\n', " "),
        Verdict::Unsupported(call) => format!("*does not know {call}*"),
    }
}

/// A text with what stands between the two marks replaced.
pub fn put_into(readme: &str, table: &str) -> String {
    let (before, rest) = readme.split_once(BEGIN).unwrap_or_else(|| panic!("tests/README.md lacks the line {BEGIN}"));
    let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("tests/README.md lacks the line {END}"));
    format!("{before}{BEGIN}\n\n{table}\n{END}{after}")
}
