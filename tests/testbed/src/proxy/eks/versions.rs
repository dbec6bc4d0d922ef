//! The versions that the testbed's EKS offers. Neither emulator lists any.

use serde_json::{Value, json};

use super::super::{answer::Answer, parse::Call};

/// Kubernetes versions, newest first.
pub const KUBERNETES: [&str; 5] = ["1.36", "1.35", "1.34", "1.33", "1.32"];

/// The version of a cluster that names none.
pub const DEFAULT: &str = "1.35";

/// Add-ons: name, type, and the newest version for the newest Kubernetes. kube-proxy's minor version is Kubernetes's.
const ADDONS: [(&str, &str, [u32; 3]); 6] = [
    ("vpc-cni", "networking", [1, 21, 1]),
    ("coredns", "networking", [1, 14, 0]),
    ("kube-proxy", "networking", [1, 36, 0]),
    ("aws-ebs-csi-driver", "storage", [1, 56, 0]),
    ("eks-pod-identity-agent", "security", [1, 3, 10]),
    ("metrics-server", "observability", [0, 8, 1]),
];

/// The versions of an add-on for a version of Kubernetes, the default one first; none when either is unknown.
pub fn of_addon(name: &str, kubernetes: &str) -> Vec<String> {
    let Some((_, _, [major, minor, patch])) = ADDONS.iter().find(|(addon, _, _)| *addon == name) else {
        return Vec::new();
    };
    let Some(age) = KUBERNETES.iter().position(|version| *version == kubernetes) else { return Vec::new() };
    let minor = if name == "kube-proxy" { minor - u32::try_from(age).unwrap_or(0) } else { *minor };
    [2, 1].iter().map(|build| format!("v{major}.{minor}.{patch}-eksbuild.{build}")).collect()
}

/// DescribeAddonVersions.
pub fn addons(call: &Call) -> Answer {
    let (name, kubernetes) = (call.text("addonName"), call.text("kubernetesVersion"));
    let described = ADDONS.iter().filter(|(addon, _, _)| name.is_empty() || *addon == name).map(|(addon, kind, _)| {
        let versions: Vec<String> = KUBERNETES.iter().flat_map(|version| of_addon(addon, version)).collect();
        let mut seen: Vec<&String> = Vec::new();
        versions.iter().for_each(|version| {
            if !seen.contains(&version) {
                seen.push(version)
            }
        });
        let versions: Vec<Value> = seen.iter().map(|version| described(addon, version, kubernetes)).collect();
        let versions: Vec<Value> = versions.into_iter().filter(|one| one["compatibilities"] != json!([])).collect();
        json!({ "addonName": addon, "type": kind, "owner": "aws", "publisher": "eks", "addonVersions": versions })
    });
    let described: Vec<Value> = described.filter(|addon| addon["addonVersions"] != json!([])).collect();
    match described.is_empty() && !name.is_empty() {
        true => {
            let text = format!("Addon {name} specified is not supported");
            Answer::error(call, 400, "InvalidParameterException", &text)
        }
        false => Answer::json(&json!({ "addons": described })),
    }
}

fn described(addon: &str, version: &str, kubernetes: &str) -> Value {
    let fits = KUBERNETES.iter().filter(|one| kubernetes.is_empty() || **one == kubernetes).filter_map(|one| {
        let place = of_addon(addon, one).iter().position(|offered| offered == version)?;
        Some(json!({ "clusterVersion": one, "platformVersions": ["*"], "defaultVersion": place == 0 }))
    });
    json!({ "addonVersion": version, "architecture": ["amd64", "arm64"], "compatibilities": fits.collect::<Vec<_>>() })
}

/// DescribeClusterVersions.
pub fn clusters(call: &Call) -> Answer {
    let only = call.text("defaultOnly") == "true";
    let all = KUBERNETES.iter().filter(|version| !only || **version == DEFAULT).map(|version| {
        let standard = *version != "1.32";
        json!({
            "clusterVersion": version, "clusterType": "eks", "defaultPlatformVersion": "eks.1", "defaultVersion": *version == DEFAULT,
            "status": if standard { "standard-support" } else { "extended-support" },
            "versionStatus": if standard { "STANDARD_SUPPORT" } else { "EXTENDED_SUPPORT" },
        })
    });
    Answer::json(&json!({ "clusterVersions": all.collect::<Vec<_>>() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kube_proxy_follows_kubernetes_and_the_default_comes_first() {
        assert_eq!(of_addon("kube-proxy", "1.34"), ["v1.34.0-eksbuild.2", "v1.34.0-eksbuild.1"]);
        assert_eq!(of_addon("vpc-cni", "1.34")[0], "v1.21.1-eksbuild.2");
        assert!(of_addon("vpc-cni", "1.20").is_empty() && of_addon("other", "1.34").is_empty());
    }
}
