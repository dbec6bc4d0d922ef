//! What every controller's stand-in asks first: does its pod run, and what may it do in the cluster and in AWS.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    cluster::Inside,
    kube_objects::{annotation, at, condition, is_going, items, name, namespace, selected, text},
};

/// A right that was found is believed this long, a refusal for a tenth of it.
const BELIEVED: Duration = Duration::from_secs(5);

/// What was found about rights a moment ago.
#[derive(Default)]
pub struct Rights {
    known: Vec<(Instant, String, Result<(), String>)>,
}

/// A pod of a Deployment that is available; the controller runs in it.
pub async fn pod_of(inside: &Inside, deployment: &Value) -> Option<Value> {
    if is_going(deployment) || at(deployment, "status.availableReplicas").as_u64().unwrap_or(0) == 0 {
        return None;
    }
    let pods = inside.objects.list(&format!("/api/v1/namespaces/{}/pods", namespace(deployment))).await.ok()?;
    let labels = at(deployment, "spec.selector.matchLabels");
    pods.into_iter().find(|pod| selected(pod, labels) && condition(pod, "Ready") && !is_going(pod))
}

/// The same by the Deployment's name.
pub async fn pod(inside: &Inside, space: &str, deployment: &str) -> Option<Value> {
    let path = format!("/apis/apps/v1/namespaces/{space}/deployments/{deployment}");
    pod_of(inside, &inside.objects.get(&path).await.ok()??).await
}

/// What a controller needs in AWS.
#[derive(Debug, Clone, Copy)]
pub enum Needs<'a> {
    /// A policy of AWS, attached to the role.
    Managed(&'a str),
    /// An action on something whose ARN ends so, in a policy of the role itself.
    Action(&'a str, &'a str),
    /// All of these actions, each on something, in policies of the role itself.
    Actions(&'a [&'a str]),
}

/// Whether a pod may act in AWS: the role of its service account, that role's trust in this cluster, and the role's policies.
///
/// # Errors
/// `AccessDenied: …`, as AWS would say it to the controller.
pub async fn may_in_aws(inside: &Inside, pod: &Value, needs: Needs<'_>) -> Result<(), String> {
    let key = format!("aws {} {needs:?}", account(pod));
    if let Some(known) = known(inside, &key).await {
        return known;
    }
    let found = in_aws(inside, pod, needs).await.map_err(|why| format!("AccessDenied: {why}"));
    believe(inside, key, found).await
}

/// Whether a pod may do these things in its cluster: verb, group and resource.
///
/// # Errors
/// `… is forbidden: …`, as the API server would say it.
pub async fn may_in_cluster(inside: &Inside, pod: &Value, what: &[(&str, &str, &str)]) -> Result<(), String> {
    let user = account(pod);
    let key = format!("cluster {user} {what:?}");
    if let Some(known) = known(inside, &key).await {
        return known;
    }
    let mut found = Ok(());
    for (verb, group, resource) in what {
        if !inside.objects.may(&user, verb, group, resource).await? {
            found = Err(format!(
                "{resource} is forbidden: User \"{user}\" cannot {verb} resource \"{resource}\" in API group \"{group}\""
            ));
            break;
        }
    }
    believe(inside, key, found).await
}

fn account(pod: &Value) -> String {
    format!("system:serviceaccount:{}:{}", namespace(pod), text(pod, "spec.serviceAccountName"))
}

async fn known(inside: &Inside, key: &str) -> Option<Result<(), String>> {
    let rights = inside.rights.lock().await;
    let fresh = |read: &Instant, result: &Result<(), String>| {
        read.elapsed() < if result.is_ok() { BELIEVED } else { BELIEVED / 10 }
    };
    rights
        .known
        .iter()
        .find(|(read, known, result)| known == key && fresh(read, result))
        .map(|(_, _, result)| result.clone())
}

async fn believe(inside: &Inside, key: String, found: Result<(), String>) -> Result<(), String> {
    let mut rights = inside.rights.lock().await;
    rights.known.retain(|(read, known, _)| *known != key && read.elapsed() < BELIEVED);
    rights.known.push((Instant::now(), key, found.clone()));
    found
}

async fn in_aws(inside: &Inside, pod: &Value, needs: Needs<'_>) -> Result<(), String> {
    let (space, account_name) = (namespace(pod), text(pod, "spec.serviceAccountName"));
    let path = format!("/api/v1/namespaces/{space}/serviceaccounts/{account_name}");
    let service_account = inside.objects.get(&path).await?.unwrap_or_default();
    let arn = annotation(&service_account, "eks.amazonaws.com/role-arn");
    let role = arn.rsplit('/').next().filter(|role| !role.is_empty());
    let role = role.ok_or_else(|| {
        format!("service account {space}/{account_name} has no role, and the nodes' role may not do this")
    })?;
    let described = inside.aws.eks(&format!("/clusters/{}", inside.name)).await?;
    let issuer = text(&described, "cluster.identity.oidc.issuer").trim_start_matches("https://").to_owned();
    let providers = inside.aws.query("iam", "ListOpenIDConnectProviders", &[]).await?;
    let providers = providers.all("ListOpenIDConnectProvidersResult/OpenIDConnectProviderList/member");
    let provider =
        providers.iter().map(|p| p.text("Arn")).find(|arn| arn.ends_with(&format!("oidc-provider/{issuer}")));
    let provider =
        provider.ok_or_else(|| format!("No OpenIDConnect provider found in your account for https://{issuer}"))?;
    let answer = inside.aws.query("iam", "GetRole", &[("RoleName", role)]).await?;
    let document = answer.deep("AssumeRolePolicyDocument").map_or("", super::xml::Element::own);
    let trust: Value = document_of(document);
    if !trusts(&trust, provider, &issuer, &account(pod)) {
        return Err(format!(
            "Not authorized to perform sts:AssumeRoleWithWebIdentity: {role} does not trust {}",
            account(pod)
        ));
    }
    match lacks(inside, role, needs).await? {
        None => Ok(()),
        Some(what) => Err(format!("{arn} is not authorized: no policy of it allows {what}")),
    }
}

fn document_of(text: &str) -> Value {
    let plain = percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&plain).unwrap_or_default()
}

/// A value of a policy that may be one text or a list of them.
fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .map_or_else(|| value.as_str().into_iter().collect(), |list| list.iter().filter_map(Value::as_str).collect())
}

fn trusts(trust: &Value, provider: &str, issuer: &str, subject: &str) -> bool {
    items(trust, "Statement").iter().any(|statement| {
        let condition = &statement["Condition"]["StringEquals"];
        statement["Effect"] == "Allow"
            && texts(&statement["Action"]).contains(&"sts:AssumeRoleWithWebIdentity")
            && texts(&statement["Principal"]["Federated"]).contains(&provider)
            && texts(&condition[format!("{issuer}:sub")]).contains(&subject)
            && texts(&condition[format!("{issuer}:aud")]).contains(&"sts.amazonaws.com")
    })
}

/// What a role may not do of what is needed.
async fn lacks(inside: &Inside, role: &str, needs: Needs<'_>) -> Result<Option<String>, String> {
    let (actions, resource) = match &needs {
        Needs::Managed(policy) => {
            let attached = inside.aws.query("iam", "ListAttachedRolePolicies", &[("RoleName", role)]).await?;
            let attached = attached.all("ListAttachedRolePoliciesResult/AttachedPolicies/member");
            let found = attached.iter().any(|found| found.text("PolicyName") == *policy);
            return Ok((!found).then(|| format!("what {policy} does")));
        }
        Needs::Action(action, resource) => (std::slice::from_ref(action), *resource),
        Needs::Actions(actions) => (*actions, ""),
    };
    let mut allowed: Vec<Value> = Vec::new();
    let listed = inside.aws.query("iam", "ListRolePolicies", &[("RoleName", role)]).await?;
    for policy in listed.all("ListRolePoliciesResult/PolicyNames/member") {
        let asked = [("RoleName", role), ("PolicyName", policy.own())];
        let found = inside.aws.query("iam", "GetRolePolicy", &asked).await?;
        let document = document_of(found.deep("PolicyDocument").map_or("", super::xml::Element::own));
        allowed.extend(items(&document, "Statement").iter().filter(|one| one["Effect"] == "Allow").cloned());
    }
    let refused = actions.iter().find(|action| !allowed.iter().any(|statement| allows(statement, action, resource)));
    Ok(refused.map(|action| if resource.is_empty() { (*action).to_owned() } else { format!("{action} on {resource}") }))
}

/// Whether a statement that allows has an action, on something whose ARN ends so.
fn allows(statement: &Value, action: &str, resource: &str) -> bool {
    let fits = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(beginning) => action.starts_with(beginning),
        None => *pattern == action,
    };
    texts(&statement["Action"]).iter().any(fits)
        && texts(&statement["Resource"]).iter().any(|on| *on == "*" || on.ends_with(resource))
}

/// Writes a line into the log of a controller's container, unless it is the last one already.
pub fn log(inside: &Inside, pod: &Value, line: &str) {
    let container = text(&items(pod, "spec.containers")[0], "name");
    let line = format!("{line}\n");
    if !inside.logs.read(pod, container).ends_with(&line) {
        inside.logs.write(pod, container, &line);
    }
}

/// An owner reference to an object.
pub fn owned_by(owner: &Value) -> Value {
    json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name(owner), "uid": text(owner, "metadata.uid"),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_allows_its_actions_on_its_resources() {
        let statement =
            json!({"Action": ["ec2:Describe*", "route53:ChangeResourceRecordSets"], "Resource": "arn:z/Z1"});
        assert!(allows(&statement, "ec2:DescribeSubnets", "") && allows(&statement, "ec2:DescribeSubnets", "z/Z1"));
        assert!(!allows(&statement, "ec2:DeleteSubnet", "") && !allows(&statement, "ec2:DescribeSubnets", "z/Z2"));
    }

    #[test]
    fn a_role_trusts_one_service_account_of_one_cluster() {
        let trust = |subject: &str, audience: &str| {
            json!({"Statement": [{
                "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "arn:p"},
                "Condition": {"StringEquals": {"i/1:sub": subject, "i/1:aud": audience}},
            }]})
        };
        let (good, sts) = ("system:serviceaccount:a:b", "sts.amazonaws.com");
        assert!(trusts(&trust(good, sts), "arn:p", "i/1", good));
        assert!(!trusts(&trust("system:serviceaccount:a:c", sts), "arn:p", "i/1", good));
        assert!(!trusts(&trust(good, "other"), "arn:p", "i/1", good));
        assert!(!trusts(&trust(good, sts), "arn:p", "i/2", good));
        assert!(!trusts(&trust(good, sts), "arn:q", "i/1", good));
    }
}
