//! The AWS Load Balancer Controller: a network load balancer for a Service, an application load balancer for an Ingress or for a group of
//! them, and their end.
//!
//! * [`wanted`]: which load balancers the objects of a cluster ask for; [`targets`]: what they send to. Pure.
//! * [`build`]: subnets, security groups and the load balancer itself; how all of it is taken down. [`listen`]: what it listens to and
//!   where it sends that. [`form`]: questions to AWS.
//!
//! It works while a pod of its Deployment is ready, in whatever namespace, and with the rights of that pod's role. It finds its work again
//! by its own tags, so a new pod goes on where the last one was. Source: <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/>.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    cluster::Inside,
    controller::{self, Needs},
    kube_objects::{items, name, namespace, text},
};
use build::Site;
use wanted::{SERVICE_CLASS, Seen, Stack};

mod build;
mod form;
mod listen;
mod targets;
mod wanted;

const CONTROLLER: &str = "aws-load-balancer-controller";
/// What it needs its role to allow.
const ACTIONS: &[&str] = &[
    "ec2:DescribeSubnets",
    "ec2:DescribeSecurityGroups",
    "ec2:CreateSecurityGroup",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:DeleteSecurityGroup",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:CreateLoadBalancer",
    "elasticloadbalancing:CreateTargetGroup",
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateRule",
    "elasticloadbalancing:RegisterTargets",
    "elasticloadbalancing:DeleteLoadBalancer",
    "elasticloadbalancing:DeleteTargetGroup",
];
/// When nothing has changed, it looks at AWS again after so long.
const RESYNC: Duration = Duration::from_secs(5);
const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies";
const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings";

/// What was done a moment ago; nothing depends on it.
#[derive(Default)]
struct Memory {
    /// Whether its webhook is registered.
    admits: Option<bool>,
    /// What was seen when all was as it should be.
    kept: Option<(Instant, Seen)>,
}

/// Works until the task is ended.
pub(super) async fn run(inside: Arc<Inside>) {
    let inside = inside.with(inside.objects.as_manager(CONTROLLER), inside.aws.as_agent(CONTROLLER));
    let mut memory = Memory::default();
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let Ok(deployments) = inside.objects.list("/apis/apps/v1/deployments").await else { continue };
        let deployment = deployments.iter().find(|deployment| name(deployment) == CONTROLLER);
        if memory.admits != Some(deployment.is_some()) {
            memory.admits = admit(&inside, deployment.is_some()).await.ok().map(|()| deployment.is_some());
        }
        let Some(deployment) = deployment else { continue };
        if let Some(pod) = controller::pod_of(&inside, deployment).await
            && let Err(why) = round(&inside, &pod, &mut memory).await
        {
            controller::log(&inside, &pod, &json!({ "level": "error", "error": why }).to_string());
        }
    }
}

/// Its webhook gives new Services its class, so that nothing else makes a load balancer for them. It comes and goes with the Deployment.
async fn admit(inside: &Inside, registered: bool) -> Result<(), String> {
    let paths = [POLICIES, BINDINGS].map(|path| format!("{path}/{CONTROLLER}"));
    if !registered {
        for path in paths {
            inside.objects.delete(&path, false).await?;
        }
        return Ok(());
    }
    let api = "admissionregistration.k8s.io/v1";
    let mutation = format!("Object{{spec: Object.spec{{loadBalancerClass: '{SERVICE_CLASS}'}}}}");
    let policy = json!({
        "apiVersion": api, "kind": "MutatingAdmissionPolicy", "metadata": {"name": CONTROLLER},
        "spec": {
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["services"]},
            ]},
            "matchConditions": [{
                "name": "balanced", "expression": "object.spec.type == 'LoadBalancer' && !has(object.spec.loadBalancerClass)",
            }],
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": mutation}}],
        },
    });
    let binding = json!({
        "apiVersion": api, "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": CONTROLLER},
        "spec": {"policyName": CONTROLLER},
    });
    for (path, object) in paths.iter().zip([policy, binding]) {
        inside.objects.apply(path, &object).await?;
    }
    Ok(())
}

async fn see(inside: &Inside) -> Result<Seen, String> {
    let list = async |path: &str| inside.objects.list(path).await;
    let nodes = list("/api/v1/nodes").await?;
    Ok(Seen {
        services: list("/api/v1/services").await?,
        ingresses: list("/apis/networking.k8s.io/v1/ingresses").await?,
        classes: list("/apis/networking.k8s.io/v1/ingressclasses").await?,
        params: list("/apis/elbv2.k8s.aws/v1beta1/ingressclassparams").await?,
        slices: list("/apis/discovery.k8s.io/v1/endpointslices").await?,
        nodes: nodes.iter().map(|node| json!({"spec": {"providerID": text(node, "spec.providerID")}})).collect(),
    })
}

async fn round(inside: &Inside, pod: &Value, memory: &mut Memory) -> Result<(), String> {
    let seen = see(inside).await?;
    let stacks = wanted::stacks(&seen);
    let as_before = memory.kept.as_ref().is_some_and(|(at, before)| at.elapsed() < RESYNC && *before == seen);
    if stacks.is_empty() || as_before {
        return Ok(());
    }
    memory.kept = None;
    controller::may_in_aws(inside, pod, Needs::Actions(ACTIONS)).await?;
    let described = inside.aws.eks(&format!("/clusters/{}", inside.name)).await?;
    let vpc = text(&described, "cluster.resourcesVpcConfig.vpcId");
    let mut settled = true;
    let mut trouble = Vec::new();
    for stack in &stacks {
        let site = Site { inside, stack, seen: &seen, vpc };
        match serve(&site).await {
            Ok(done) => settled &= done,
            Err(why) => trouble.push(format!("{}: {why}", stack.name)),
        }
    }
    if !trouble.is_empty() {
        return Err(trouble.join("; "));
    }
    memory.kept = settled.then(|| (Instant::now(), seen));
    Ok(())
}

/// Makes what a stack lacks, or takes it down when nobody asks for it any more; whether that is done. A finalizer comes off last.
async fn serve(site: &Site<'_>) -> Result<bool, String> {
    let Site { inside, stack, .. } = site;
    if stack.staying.is_empty() {
        if !site.leave().await? {
            return Ok(false);
        }
    } else {
        for member in &stack.staying {
            finalizers(inside, stack, member, true).await?;
        }
        let host = site.keep().await?;
        for member in &stack.staying {
            if text(&items(member, "status.loadBalancer.ingress").first().cloned().unwrap_or_default(), "hostname")
                != host
            {
                let status = json!({"status": {"loadBalancer": {"ingress": [{"hostname": host}]}}});
                inside.objects.merge(&format!("{}/status", path(stack, member)), &status).await?;
            }
        }
    }
    for member in &stack.leaving {
        finalizers(inside, stack, member, false).await?;
    }
    Ok(true)
}

/// Puts the controller's finalizer on a member, or takes it off.
async fn finalizers(inside: &Inside, stack: &Stack, member: &Value, held: bool) -> Result<(), String> {
    let mut all: Vec<&str> = items(member, "metadata.finalizers").iter().filter_map(Value::as_str).collect();
    if all.contains(&stack.finalizer.as_str()) == held {
        return Ok(());
    }
    all.retain(|finalizer| *finalizer != stack.finalizer);
    if held {
        all.push(&stack.finalizer);
    }
    let patch = json!({"metadata": {"resourceVersion": text(member, "metadata.resourceVersion"), "finalizers": all}});
    inside.objects.merge(&path(stack, member), &patch).await.map(|_| ())
}

fn path(stack: &Stack, member: &Value) -> String {
    let (space, called) = (namespace(member), name(member));
    match stack.network {
        true => format!("/api/v1/namespaces/{space}/services/{called}"),
        false => format!("/apis/networking.k8s.io/v1/namespaces/{space}/ingresses/{called}"),
    }
}
