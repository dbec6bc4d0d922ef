//! A case: a behaviour that the AWS reference tells, and how it is tried. A verdict: what a target was seen to do.

use runbook_modules::error::CallError;
use serde_json::Value;

use super::lab::Lab;

/// A behaviour of AWS.
pub struct Case {
    /// What is tried, in a few words.
    pub name: &'static str,
    /// What AWS does.
    pub aws: &'static str,
    /// The page of the reference that says so: `ec2/CreateVpc`.
    pub page: &'static str,
    /// Tries it. Other cases leave things behind: names come from [`Lab::name`], lists are searched.
    pub run: fn(&Lab) -> Seen,
}

impl Case {
    /// The page's address.
    pub fn address(&self) -> String {
        let (service, page) = self.page.split_once('/').unwrap_or(("", self.page));
        let docs = "https://docs.aws.amazon.com";
        match (service, page) {
            ("ec2", "errors") => format!("{docs}/AWSEC2/latest/APIReference/errors-overview.html"),
            ("ec2", _) => format!("{docs}/AWSEC2/latest/APIReference/API_{page}.html"),
            ("vpc", _) => format!("{docs}/vpc/latest/userguide/{page}.html"),
            ("peering", _) => format!("{docs}/vpc/latest/peering/{page}.html"),
            ("iam", _) => format!("{docs}/IAM/latest/APIReference/API_{page}.html"),
            ("eks", _) => format!("{docs}/eks/latest/APIReference/API_{page}.html"),
            ("route53", _) => format!("{docs}/Route53/latest/APIReference/API_{page}.html"),
            ("cloudmap", _) => format!("{docs}/cloud-map/latest/api/API_{page}.html"),
            ("cloudwatch", _) => format!("{docs}/AmazonCloudWatch/latest/APIReference/API_{page}.html"),
            ("ssm", _) => format!("{docs}/systems-manager/latest/APIReference/API_{page}.html"),
            ("ssm-eks", _) => format!("{docs}/eks/latest/userguide/{page}.html"),
            ("autoscaling", _) => format!("{docs}/autoscaling/ec2/APIReference/API_{page}.html"),
            ("account", _) => format!("{docs}/accounts/latest/reference/API_{page}.html"),
            ("servicequotas", _) => format!("{docs}/servicequotas/2019-06-24/apireference/API_{page}.html"),
            ("sts", _) => format!("{docs}/STS/latest/APIReference/API_{page}.html"),
            ("s3", _) => format!("{docs}/AmazonS3/latest/API/API_{page}.html"),
            ("sqs", _) => format!("{docs}/AWSSimpleQueueService/latest/APIReference/API_{page}.html"),
            ("events", _) => format!("{docs}/eventbridge/latest/APIReference/API_{page}.html"),
            ("logs", _) => format!("{docs}/AmazonCloudWatchLogs/latest/APIReference/API_{page}.html"),
            ("kms", _) => format!("{docs}/kms/latest/APIReference/API_{page}.html"),
            ("secretsmanager", _) => format!("{docs}/secretsmanager/latest/apireference/API_{page}.html"),
            ("ecr", _) => format!("{docs}/AmazonECR/latest/APIReference/API_{page}.html"),
            ("acm", _) => format!("{docs}/acm/latest/APIReference/API_{page}.html"),
            ("elbv2", _) => format!("{docs}/elasticloadbalancing/latest/APIReference/API_{page}.html"),
            ("wafv2", _) => format!("{docs}/waf/latest/APIReference/API_{page}.html"),
            ("rds", _) => format!("{docs}/AmazonRDS/latest/APIReference/API_{page}.html"),
            _ => panic!("{}: the page {} is of no known reference", self.name, self.page),
        }
    }
}

/// Nothing, when all was as AWS does it; else what was seen instead.
pub type Seen = Result<(), Other>;

/// What a target did instead.
#[derive(Debug)]
pub enum Other {
    /// Something else, in a few words.
    Different(String),
    /// It does not know the call.
    Unsupported(String),
}

/// What is known of a target after a case.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does as AWS does.
    Right,
    /// It does something else.
    Different(String),
    /// It does not know the call.
    Unsupported(String),
}

impl Verdict {
    /// Out of what was seen. Ids in it are shortened, since they are new in every run.
    pub fn of(seen: Seen) -> Self {
        match seen {
            Ok(()) => Self::Right,
            Err(Other::Different(text)) => Self::Different(without_ids(&text)),
            Err(Other::Unsupported(call)) => Self::Unsupported(call),
        }
    }
}

/// An outcome that is not what AWS does.
pub fn other(text: impl Into<String>) -> Other {
    Other::Different(text.into())
}

/// Every run of eight or more hexadecimal digits becomes `…`.
fn without_ids(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_hexdigit() {
            run.push(c);
            continue;
        }
        out.push_str(if run.len() >= 8 { "…" } else { &run });
        run.clear();
        out.push(c);
    }
    out.trim_end_matches('\0').to_owned()
}

/// The answer of a call, with its name.
#[derive(Debug)]
pub struct Answer<T> {
    /// `ec2.create_vpc`, `delete ec2.vpc`.
    pub call: String,
    /// What was answered.
    pub result: Result<T, CallError>,
}

impl<T> Answer<T> {
    /// What was answered; a refusal is none of AWS's here.
    pub fn ok(self) -> Result<T, Other> {
        let call = self.call;
        self.result.map_err(|error| failed(&call, &error))
    }

    /// Refused with one of these codes.
    pub fn refused(self, codes: &[&str]) -> Seen {
        match self.result {
            Err(error) if codes.contains(&error.code.as_str()) => Ok(()),
            Err(error) => Err(failed(&self.call, &error)),
            Ok(_) => Err(other(format!("{} is accepted", self.call))),
        }
    }
}

/// A failed call as an outcome.
pub fn failed(call: &str, error: &CallError) -> Other {
    let unknown = matches!(error.code.as_str(), "Http404" | "Http405" | "Http501" | "InvalidAction" | "NotImplemented")
        || error.message.starts_with("No route for");
    match error.code.as_str() {
        _ if unknown => Other::Unsupported(call.to_owned()),
        code if code.starts_with("Http5") => other(format!("{call} breaks ({code})")),
        code => other(format!("{call} answers {code}")),
    }
}

/// A part of a description, by a path of fields and positions: `status.code`, `vpcs.0.state`. Null when it is missing.
pub fn part<'a>(described: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(described, |value, name| match name.parse::<usize>() {
        Ok(position) => &value[position],
        Err(_) => &value[name],
    })
}

/// The text at a path; empty when there is none.
pub fn text<'a>(described: &'a Value, path: &str) -> &'a str {
    part(described, path).as_str().unwrap_or_default()
}

/// The list at a path; empty when there is none.
pub fn list<'a>(described: &'a Value, path: &str) -> &'a [Value] {
    part(described, path).as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A field has a value.
pub fn is(described: &Value, path: &str, wanted: impl Into<Value>) -> Seen {
    let (has, wanted) = (part(described, path), wanted.into());
    match has {
        has if *has == wanted => Ok(()),
        Value::Null => Err(other(format!("no `{path}`"))),
        Value::String(word) if !is_id(path) && word.bytes().all(|c| c.is_ascii_alphabetic() || b"-_".contains(&c)) => {
            Err(other(format!("`{path}` is {word}")))
        }
        Value::Number(_) | Value::Bool(_) => Err(other(format!("`{path}` is {has}"))),
        // An id, or a whole map: nothing to read, and an id is another one in every run.
        _ => Err(other(format!("another `{path}`"))),
    }
}

/// Whether a field of that path holds an id: it may be all letters, by chance.
fn is_id(path: &str) -> bool {
    let field = path.rsplit('.').next().unwrap_or(path);
    field == "id" || field.ends_with("_id")
}

/// Something holds; else it is said what was seen.
pub fn holds(condition: bool, otherwise: impl Into<String>) -> Seen {
    if condition { Ok(()) } else { Err(other(otherwise)) }
}
