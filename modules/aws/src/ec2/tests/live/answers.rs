//! What EC2 answers, as XML.

use super::tag_set;

pub(super) fn vpc(state: &str) -> String {
    format!(
        "<vpcId>vpc-1</vpcId><state>{state}</state><cidrBlock>10.5.0.0/16</cidrBlock><dhcpOptionsId>dopt-1</dhcpOptionsId>\
         <instanceTenancy>default</instanceTenancy><isDefault>false</isDefault><ownerId>1</ownerId>{}",
        tag_set()
    )
}

pub(super) fn subnet() -> String {
    format!(
        "<subnetId>subnet-1</subnetId><subnetArn>arn:s</subnetArn><state>available</state><vpcId>vpc-1</vpcId>\
         <cidrBlock>10.5.1.0/24</cidrBlock><availableIpAddressCount>251</availableIpAddressCount>\
         <availabilityZone>us-east-1a</availabilityZone><availabilityZoneId>use1-az1</availabilityZoneId>\
         <defaultForAz>false</defaultForAz><mapPublicIpOnLaunch>false</mapPublicIpOnLaunch>\
         <assignIpv6AddressOnCreation>false</assignIpv6AddressOnCreation><ownerId>1</ownerId>{}",
        tag_set()
    )
}

pub(super) fn gateway(attachments: &str) -> String {
    format!(
        "<internetGatewayId>igw-1</internetGatewayId><attachmentSet>{attachments}</attachmentSet><ownerId>1</ownerId>{}",
        tag_set()
    )
}

pub(super) fn address() -> String {
    format!(
        "<allocationId>eipalloc-1</allocationId><publicIp>198.18.0.1</publicIp><domain>vpc</domain>\
         <publicIpv4Pool>amazon</publicIpv4Pool><networkBorderGroup>us-east-1</networkBorderGroup>{}",
        tag_set()
    )
}

pub(super) fn nat(state: &str) -> String {
    format!(
        "<natGatewayId>nat-1</natGatewayId><state>{state}</state><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>\
         <createTime>2026-11-20T19:43:14.000Z</createTime><connectivityType>public</connectivityType>\
         <natGatewayAddressSet><item><allocationId>eipalloc-1</allocationId><publicIp>198.18.0.1</publicIp>\
         <privateIp>10.5.1.4</privateIp><isPrimary>true</isPrimary><status>succeeded</status>\
         </item></natGatewayAddressSet>{}",
        tag_set()
    )
}

pub(super) fn table() -> String {
    format!(
        "<routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><ownerId>1</ownerId><routeSet>\
         <item><destinationCidrBlock>10.5.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId><state>active</state>\
         <origin>CreateRouteTable</origin></item>\
         <item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><gatewayId>igw-1</gatewayId><state>active</state>\
         <origin>CreateRoute</origin></item></routeSet><associationSet><item>\
         <routeTableAssociationId>rtbassoc-1</routeTableAssociationId><routeTableId>rtb-1</routeTableId>\
         <subnetId>subnet-1</subnetId><main>false</main><associationState><state>associated</state></associationState>\
         </item></associationSet><propagatingVgwSet/>{}",
        tag_set()
    )
}

pub(super) fn peering(code: &str, message: &str) -> String {
    let side = |vpc: &str, block: &str| {
        format!(
            "<vpcId>{vpc}</vpcId><ownerId>1</ownerId><region>us-east-1</region><cidrBlock>{block}</cidrBlock>\
             <peeringOptions><allowDnsResolutionFromRemoteVpc>false</allowDnsResolutionFromRemoteVpc></peeringOptions>"
        )
    };
    format!(
        "<vpcPeeringConnectionId>pcx-1</vpcPeeringConnectionId><status><code>{code}</code><message>{message}</message></status>\
         <requesterVpcInfo>{}</requesterVpcInfo><accepterVpcInfo>{}</accepterVpcInfo>\
         <expirationTime>2026-11-27T19:43:14.000Z</expirationTime>{}",
        side("vpc-1", "10.5.0.0/16"),
        side("vpc-2", "10.6.0.0/16"),
        tag_set()
    )
}

pub(super) fn group() -> String {
    let rule = "<item><ipProtocol>tcp</ipProtocol><fromPort>80</fromPort><toPort>80</toPort>\
                <ipRanges><item><cidrIp>10.5.0.0/16</cidrIp><description>web</description></item></ipRanges>\
                <groups><item><groupId>sg-2</groupId><userId>1</userId></item></groups></item>";
    format!(
        "<groupId>sg-1</groupId><groupName>web</groupName><groupDescription>test</groupDescription><vpcId>vpc-1</vpcId>\
         <ownerId>1</ownerId><securityGroupArn>arn:g</securityGroupArn><ipPermissions>{rule}</ipPermissions>\
         <ipPermissionsEgress/>{}",
        tag_set()
    )
}

pub(super) fn rule(id: &str, source: &str, egress: bool, tags: &str) -> String {
    format!(
        "<item><securityGroupRuleId>{id}</securityGroupRuleId><groupId>sg-1</groupId><isEgress>{egress}</isEgress>\
         <ipProtocol>-1</ipProtocol><fromPort>-1</fromPort><toPort>-1</toPort>{source}{tags}</item>"
    )
}

pub(super) fn interface(status: &str) -> String {
    format!(
        "<networkInterfaceId>eni-1</networkInterfaceId><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>\
         <availabilityZone>us-east-1a</availabilityZone><description>probe</description><ownerId>1</ownerId>\
         <requesterManaged>false</requesterManaged><status>{status}</status><macAddress>0a:1</macAddress>\
         <privateIpAddress>10.5.1.4</privateIpAddress><sourceDestCheck>true</sourceDestCheck>\
         <groupSet><item><groupId>sg-1</groupId><groupName>web</groupName></item></groupSet>\
         <interfaceType>interface</interfaceType>{}",
        tag_set()
    )
}

pub(super) fn volume(state: &str) -> String {
    format!(
        "<volumeId>vol-1</volumeId><size>8</size><availabilityZone>us-east-1a</availabilityZone>\
         <availabilityZoneId>use1-az1</availabilityZoneId><status>{state}</status>\
         <createTime>2026-11-20T19:43:14.000Z</createTime><attachmentSet/><volumeType>gp3</volumeType>\
         <encrypted>false</encrypted><iops>3000</iops>{}",
        tag_set()
    )
}

/// A list with one item.
pub(super) fn set(name: &str, item: &str) -> String {
    format!("<{name}><item>{item}</item></{name}>")
}
