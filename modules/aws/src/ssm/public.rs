//! The public parameters of AWS that the sandbox knows: which image a node starts from.
//!
//! Sources: <https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id.html>,
//! <https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id-bottlerocket.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters-ami.html>.

use crate::{eks::versions::KUBERNETES, simulate::digits};

/// The Amazon Linux 2023 images of EKS: architecture and variant.
const AMAZON_LINUX: [(&str, &str); 4] =
    [("x86_64", "standard"), ("x86_64", "nvidia"), ("x86_64", "neuron"), ("arm64", "standard")];

/// The Bottlerocket images of EKS: what follows the Kubernetes version, and the architecture.
const BOTTLEROCKET: [(&str, &str); 6] = [
    ("", "x86_64"),
    ("", "arm64"),
    ("-nvidia", "x86_64"),
    ("-nvidia", "arm64"),
    ("-fips", "x86_64"),
    ("-fips", "arm64"),
];

/// The newest Bottlerocket here.
const BOTTLEROCKET_VERSION: &str = "1.52.0-a1b2c3d4";

/// The value of a public parameter in a region; None when there is none of that name. Image ids are made up, and steady.
pub(super) fn value(name: &str, region: &str) -> Option<String> {
    let path = name.strip_prefix("/aws/service/")?;
    let parts: Vec<&str> = path.split('/').collect();
    let image = |of: &str| format!("ami-0{}", digits(&format!("{region} {of}"), 16));
    let known = |version: &str| KUBERNETES.contains(&version);
    match &parts[..] {
        ["eks", "optimized-ami", version, "amazon-linux-2023", architecture, variant, "recommended", what]
            if known(version) && AMAZON_LINUX.contains(&(*architecture, *variant)) =>
        {
            let release = format!("{version}.0-20260101");
            match *what {
                "image_id" => Some(image(path)),
                "release_version" => Some(release),
                "image_name" => Some(format!("amazon-eks-node-al2023-{architecture}-{variant}-{version}-v20260101")),
                _ => None,
            }
        }
        ["bottlerocket", variant, architecture, at, what] => {
            let of_eks = variant.strip_prefix("aws-k8s-")?;
            let (version, kind) = of_eks.find('-').map_or((of_eks, ""), |at| of_eks.split_at(at));
            let released = *at == "latest" || BOTTLEROCKET_VERSION.starts_with(*at) && at.split('.').count() == 3;
            if !known(version) || !BOTTLEROCKET.contains(&(kind, *architecture)) || !released {
                return None;
            }
            match *what {
                "image_id" => Some(image(&format!("bottlerocket/{variant}/{architecture}"))),
                "image_version" => Some(BOTTLEROCKET_VERSION.to_owned()),
                _ => None,
            }
        }
        ["ami-amazon-linux-latest", "al2023-ami-kernel-default-x86_64" | "al2023-ami-kernel-default-arm64"] => {
            Some(image(path))
        }
        _ => None,
    }
}
