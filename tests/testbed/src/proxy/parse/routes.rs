//! The operations of services that are known by method and path, and the fields in the path.

use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Method, path with `{fields}`, operation. A path that ends in `*` takes the rest as one field.
type Route = (&'static str, &'static str, &'static str);

const EKS: &[Route] = &[
    ("POST", "/clusters", "CreateCluster"),
    ("GET", "/clusters", "ListClusters"),
    ("GET", "/clusters/{name}", "DescribeCluster"),
    ("DELETE", "/clusters/{name}", "DeleteCluster"),
    ("POST", "/clusters/{name}/update-config", "UpdateClusterConfig"),
    ("POST", "/clusters/{name}/updates", "UpdateClusterVersion"),
    ("GET", "/clusters/{name}/updates", "ListUpdates"),
    ("GET", "/clusters/{name}/updates/{updateId}", "DescribeUpdate"),
    ("POST", "/clusters/{clusterName}/encryption-config/associate", "AssociateEncryptionConfig"),
    ("POST", "/clusters/{clusterName}/node-groups", "CreateNodegroup"),
    ("GET", "/clusters/{clusterName}/node-groups", "ListNodegroups"),
    ("GET", "/clusters/{clusterName}/node-groups/{nodegroupName}", "DescribeNodegroup"),
    ("DELETE", "/clusters/{clusterName}/node-groups/{nodegroupName}", "DeleteNodegroup"),
    ("POST", "/clusters/{clusterName}/node-groups/{nodegroupName}/update-config", "UpdateNodegroupConfig"),
    ("POST", "/clusters/{clusterName}/node-groups/{nodegroupName}/update-version", "UpdateNodegroupVersion"),
    ("POST", "/clusters/{clusterName}/fargate-profiles", "CreateFargateProfile"),
    ("GET", "/clusters/{clusterName}/fargate-profiles", "ListFargateProfiles"),
    ("GET", "/clusters/{clusterName}/fargate-profiles/{fargateProfileName}", "DescribeFargateProfile"),
    ("DELETE", "/clusters/{clusterName}/fargate-profiles/{fargateProfileName}", "DeleteFargateProfile"),
    ("POST", "/clusters/{clusterName}/addons", "CreateAddon"),
    ("GET", "/clusters/{clusterName}/addons", "ListAddons"),
    ("GET", "/clusters/{clusterName}/addons/{addonName}", "DescribeAddon"),
    ("DELETE", "/clusters/{clusterName}/addons/{addonName}", "DeleteAddon"),
    ("POST", "/clusters/{clusterName}/addons/{addonName}/update", "UpdateAddon"),
    ("GET", "/addons/supported-versions", "DescribeAddonVersions"),
    ("GET", "/addons/configuration-schemas", "DescribeAddonConfiguration"),
    ("GET", "/cluster-versions", "DescribeClusterVersions"),
    ("POST", "/clusters/{clusterName}/access-entries", "CreateAccessEntry"),
    ("GET", "/clusters/{clusterName}/access-entries", "ListAccessEntries"),
    ("GET", "/clusters/{clusterName}/access-entries/{principalArn}", "DescribeAccessEntry"),
    ("POST", "/clusters/{clusterName}/access-entries/{principalArn}", "UpdateAccessEntry"),
    ("DELETE", "/clusters/{clusterName}/access-entries/{principalArn}", "DeleteAccessEntry"),
    ("POST", "/clusters/{clusterName}/access-entries/{principalArn}/access-policies", "AssociateAccessPolicy"),
    ("GET", "/clusters/{clusterName}/access-entries/{principalArn}/access-policies", "ListAssociatedAccessPolicies"),
    (
        "DELETE",
        "/clusters/{clusterName}/access-entries/{principalArn}/access-policies/{policyArn}",
        "DisassociateAccessPolicy",
    ),
    ("GET", "/access-policies", "ListAccessPolicies"),
    ("POST", "/clusters/{clusterName}/pod-identity-associations", "CreatePodIdentityAssociation"),
    ("GET", "/clusters/{clusterName}/pod-identity-associations", "ListPodIdentityAssociations"),
    ("GET", "/clusters/{clusterName}/pod-identity-associations/{associationId}", "DescribePodIdentityAssociation"),
    ("POST", "/clusters/{clusterName}/pod-identity-associations/{associationId}", "UpdatePodIdentityAssociation"),
    ("DELETE", "/clusters/{clusterName}/pod-identity-associations/{associationId}", "DeletePodIdentityAssociation"),
    ("GET", "/tags/{resourceArn}", "ListTagsForResource"),
    ("POST", "/tags/{resourceArn}", "TagResource"),
    ("DELETE", "/tags/{resourceArn}", "UntagResource"),
];

const ROUTE53: &[Route] = &[
    ("POST", "/2013-04-01/hostedzone", "CreateHostedZone"),
    ("GET", "/2013-04-01/hostedzone", "ListHostedZones"),
    ("GET", "/2013-04-01/hostedzonesbyname", "ListHostedZonesByName"),
    ("GET", "/2013-04-01/hostedzonesbyvpc", "ListHostedZonesByVPC"),
    ("GET", "/2013-04-01/hostedzonecount", "GetHostedZoneCount"),
    ("GET", "/2013-04-01/hostedzone/{Id}", "GetHostedZone"),
    ("POST", "/2013-04-01/hostedzone/{Id}", "UpdateHostedZoneComment"),
    ("DELETE", "/2013-04-01/hostedzone/{Id}", "DeleteHostedZone"),
    ("POST", "/2013-04-01/hostedzone/{HostedZoneId}/rrset", "ChangeResourceRecordSets"),
    ("GET", "/2013-04-01/hostedzone/{HostedZoneId}/rrset", "ListResourceRecordSets"),
    ("POST", "/2013-04-01/hostedzone/{HostedZoneId}/associatevpc", "AssociateVPCWithHostedZone"),
    ("POST", "/2013-04-01/hostedzone/{HostedZoneId}/disassociatevpc", "DisassociateVPCFromHostedZone"),
    ("GET", "/2013-04-01/change/{Id}", "GetChange"),
    ("GET", "/2013-04-01/tags/{ResourceType}/{ResourceId}", "ListTagsForResource"),
    ("POST", "/2013-04-01/tags/{ResourceType}/{ResourceId}", "ChangeTagsForResource"),
    ("POST", "/2013-04-01/tags/{ResourceType}", "ListTagsForResources"),
    ("POST", "/2013-04-01/healthcheck", "CreateHealthCheck"),
    ("GET", "/2013-04-01/healthcheck", "ListHealthChecks"),
    ("GET", "/2013-04-01/healthcheck/{HealthCheckId}", "GetHealthCheck"),
    ("DELETE", "/2013-04-01/healthcheck/{HealthCheckId}", "DeleteHealthCheck"),
];

const EFS: &[Route] = &[
    ("POST", "/2015-02-01/file-systems", "CreateFileSystem"),
    ("GET", "/2015-02-01/file-systems", "DescribeFileSystems"),
    ("DELETE", "/2015-02-01/file-systems/{FileSystemId}", "DeleteFileSystem"),
    ("POST", "/2015-02-01/mount-targets", "CreateMountTarget"),
    ("GET", "/2015-02-01/mount-targets", "DescribeMountTargets"),
    ("DELETE", "/2015-02-01/mount-targets/{MountTargetId}", "DeleteMountTarget"),
    ("POST", "/2015-02-01/access-points", "CreateAccessPoint"),
    ("GET", "/2015-02-01/access-points", "DescribeAccessPoints"),
    ("DELETE", "/2015-02-01/access-points/{AccessPointId}", "DeleteAccessPoint"),
];

const ACCOUNT: &[Route] = &[
    ("POST", "/getRegionOptStatus", "GetRegionOptStatus"),
    ("POST", "/listRegions", "ListRegions"),
    ("POST", "/enableRegion", "EnableRegion"),
    ("POST", "/disableRegion", "DisableRegion"),
];

/// The operation of a REST service, and the fields in its path.
pub fn find(service: &str, method: &Method, path: &str) -> Option<(&'static str, Map<String, Value>)> {
    let routes = match service {
        "eks" => EKS,
        "route53" => ROUTE53,
        "elasticfilesystem" => EFS,
        "account" => ACCOUNT,
        _ => return None,
    };
    let of_method = routes.iter().filter(|(wanted, _, _)| *wanted == method.as_str());
    of_method.filter_map(|(_, pattern, operation)| Some((*operation, matched(pattern, path)?))).next()
}

fn matched(pattern: &str, path: &str) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    let (mut wanted, mut found) = (pattern.split('/'), path.trim_end_matches('/').split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(fields),
            (Some(wanted), Some(found)) => match wanted.strip_prefix('{') {
                Some(name) if !found.is_empty() => {
                    let text = percent_decode_str(found).decode_utf8_lossy().into_owned();
                    fields.insert(name.trim_end_matches('}').to_owned(), text.into());
                }
                _ if wanted == found => {}
                _ => return None,
            },
            _ => return None,
        }
    }
}
