//! What EC2 refuses and moto lets pass: deletions of what something else still needs, and a second peering of the same two VPCs.
//!
//! Undo depends on these refusals: whoever deletes in the wrong order must be told so, here as on AWS.

use super::super::{answer::Answer, parse::Call, shared::Shared, xml::Element};

/// Why EC2 would refuse a request.
pub async fn refused(shared: &Shared, call: &Call) -> Option<Answer> {
    let asked = Asked { shared, call };
    match call.operation.as_str() {
        "DeleteSubnet" => asked.subnet(call.text("SubnetId")).await,
        "DeleteVpc" => asked.vpc(call.text("VpcId")).await,
        "DeleteSecurityGroup" => asked.group(call.text("GroupId")).await,
        "DetachInternetGateway" => asked.gateway(call.text("VpcId")).await,
        "ReleaseAddress" => asked.address(call.text("AllocationId")).await,
        "DeleteNetworkInterface" => asked.interface(call.text("NetworkInterfaceId")),
        "CreateVpcPeeringConnection" => asked.peering(call.text("VpcId"), call.text("PeerVpcId")).await,
        _ => None,
    }
}

struct Asked<'a> {
    shared: &'a Shared,
    call: &'a Call,
}

impl Asked<'_> {
    /// The items that moto lists under a filter; none when it refuses to.
    async fn list(&self, action: &str, filter: &str, value: &str, set: &str) -> Vec<Element> {
        let fields = [("Filter.1.Name", filter), ("Filter.1.Value.1", value)];
        let found = self.shared.emulators.form(&self.call.credential, "ec2", action, &fields).await;
        found.map(|document| document.items(&[set]).to_vec()).unwrap_or_default()
    }

    fn no(&self, code: &str, text: String) -> Option<Answer> {
        Some(Answer::error(self.call, 400, code, &text))
    }

    async fn subnet(&self, id: &str) -> Option<Answer> {
        let interfaces = self.list("DescribeNetworkInterfaces", "subnet-id", id, "networkInterfaceSet").await;
        match interfaces.is_empty() {
            true => None,
            false => {
                let text = format!("The subnet '{id}' has dependencies and cannot be deleted.");
                self.no("DependencyViolation", text)
            }
        }
    }

    async fn vpc(&self, id: &str) -> Option<Answer> {
        let groups = self.list("DescribeSecurityGroups", "vpc-id", id, "securityGroupInfo").await;
        let gateways = self.list("DescribeInternetGateways", "attachment.vpc-id", id, "internetGatewaySet").await;
        let interfaces = self.list("DescribeNetworkInterfaces", "vpc-id", id, "networkInterfaceSet").await;
        let own = groups.iter().any(|group| group.at(&["groupName"]) != "default");
        if !own && gateways.is_empty() && interfaces.is_empty() {
            return None;
        }
        self.no("DependencyViolation", format!("The vpc '{id}' has dependencies and cannot be deleted."))
    }

    async fn group(&self, id: &str) -> Option<Answer> {
        let used = self.list("DescribeNetworkInterfaces", "group-id", id, "networkInterfaceSet").await;
        let all = self.shared.emulators.form(&self.call.credential, "ec2", "DescribeSecurityGroups", &[]).await.ok()?;
        let others = all.items(&["securityGroupInfo"]).iter().filter(|group| group.at(&["groupId"]) != id);
        let referenced = others.filter(|group| group.mentions(id)).count() > 0;
        let default = all
            .items(&["securityGroupInfo"])
            .iter()
            .any(|group| group.at(&["groupId"]) == id && group.at(&["groupName"]) == "default");
        if default {
            let text = format!("the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
            return self.no("CannotDelete", text);
        }
        if used.is_empty() && !referenced {
            return None;
        }
        self.no("DependencyViolation", format!("resource {id} has a dependent object"))
    }

    async fn gateway(&self, vpc: &str) -> Option<Answer> {
        let interfaces = self.list("DescribeNetworkInterfaces", "vpc-id", vpc, "networkInterfaceSet").await;
        let addressed = interfaces.iter().any(|interface| !interface.at(&["association", "publicIp"]).is_empty());
        if !addressed && !self.shared.balancers.public_in(vpc) {
            return None;
        }
        let text = format!(
            "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        );
        self.no("DependencyViolation", text)
    }

    async fn address(&self, allocation: &str) -> Option<Answer> {
        let found = self.list("DescribeAddresses", "allocation-id", allocation, "addressesSet").await;
        let association = found.first().map(|address| address.at(&["associationId"]).to_owned()).unwrap_or_default();
        if association.is_empty() {
            return None;
        }
        let text = format!(
            "Address with allocation id {allocation} is in use by association {association} and cannot be released."
        );
        self.no("InvalidIPAddress.InUse", text)
    }

    fn interface(&self, id: &str) -> Option<Answer> {
        let nat = self.shared.nats.of_interface(id).is_some();
        if !nat && self.shared.balancers.type_of(id).is_none() && !self.shared.eks().owns_interface(id) {
            return None;
        }
        self.no("InvalidParameterValue", format!("Network interface '{id}' is currently in use."))
    }

    async fn peering(&self, requester: &str, accepter: &str) -> Option<Answer> {
        let all = self
            .shared
            .emulators
            .form(&self.call.credential, "ec2", "DescribeVpcPeeringConnections", &[])
            .await
            .ok()?;
        let same = all.items(&["vpcPeeringConnectionSet"]).iter().find(|one| {
            let between = [one.at(&["requesterVpcInfo", "vpcId"]), one.at(&["accepterVpcInfo", "vpcId"])];
            let living = matches!(one.at(&["status", "code"]), "active" | "pending-acceptance" | "provisioning");
            living && between.contains(&requester) && between.contains(&accepter)
        })?;
        let text = format!(
            "A VPC peering connection {} between the VPCs {requester} and {accepter} already exists",
            same.at(&["vpcPeeringConnectionId"])
        );
        self.no("VpcPeeringConnectionAlreadyExists", text)
    }
}
