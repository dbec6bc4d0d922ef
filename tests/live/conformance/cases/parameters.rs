//! Parameter Store of Systems Manager, as far as it is read.

use serde_json::json;

use crate::conformance::{
    case::{Case, Seen, holds, is, text},
    lab::Lab,
};

fn image(lab: &Lab, name: &str) -> Seen {
    let found = lab.call("ssm.get_parameter", json!({ "name": name })).ok()?;
    is(&found, "name", name)?;
    is(&found, "type", "String")?;
    holds(text(&found, "value").starts_with("ami-"), "no image's id")
}

pub const CASES: &[Case] = &[
    Case {
        name: "the newest Amazon Linux of EKS for a Kubernetes version",
        aws: "the image's id, in a public parameter of type `String`",
        page: "ssm-eks/retrieve-ami-id",
        run: |lab| {
            image(lab, "/aws/service/eks/optimized-ami/1.33/amazon-linux-2023/x86_64/standard/recommended/image_id")
        },
    },
    Case {
        name: "the newest Bottlerocket of EKS for a Kubernetes version",
        aws: "the image's id, in a public parameter of type `String`",
        page: "ssm-eks/retrieve-ami-id-bottlerocket",
        run: |lab| image(lab, "/aws/service/bottlerocket/aws-k8s-1.33/x86_64/latest/image_id"),
    },
    Case {
        name: "the newest Amazon Linux",
        aws: "the image's id, in a public parameter of type `String`",
        page: "ssm/GetParameter",
        run: |lab| image(lab, "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"),
    },
    Case {
        name: "a parameter that does not exist",
        aws: "`ParameterNotFound`",
        page: "ssm/GetParameter",
        run: |lab| {
            let input = json!({ "name": format!("/{}", lab.name("none")), "with_decryption": true });
            lab.call("ssm.get_parameter", input).refused(&["ParameterNotFound"])
        },
    },
    Case {
        name: "a version of a parameter that does not exist",
        aws: "`ParameterVersionNotFound`",
        page: "ssm/GetParameter",
        run: |lab| {
            let name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64:999999";
            lab.call("ssm.get_parameter", json!({ "name": name })).refused(&["ParameterVersionNotFound"])
        },
    },
];
