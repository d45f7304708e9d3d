//! The names themselves: for each slot the fields that fill it, most telling first.
//!
//! A name may stand under one slot only (tested); where dialects disagree about a name, the dialect's own nested names
//! stand before it.

use super::fields::Slot;

/// Fields by slot, separated by white space, in the order of their priority within a record.
pub(super) const SLOTS: &[(Slot, &str)] = &[
    (Slot::Time, TIME),
    (Slot::User, USER),
    (Slot::SourceIp, SOURCE_IP),
    (Slot::Host, HOST),
    (Slot::Action, ACTION),
    (Slot::Outcome, OUTCOME),
    (Slot::Resource, RESOURCE),
    (Slot::Bytes, BYTES),
    (Slot::Country, COUNTRY),
    (Slot::Process, PROCESS),
    (Slot::UserAgent, USER_AGENT),
    (Slot::Message, MESSAGE),
];

// Where a record has several, the one that says when the thing happened stands before when it was seen or stored.
const TIME: &str = "
    event_time timestamp time ts event_timestamp date_time
    event.system.timecreated.attributes.systemtime event.system.timecreated.systemtime system.timecreated.systemtime
    time_created utctime time_generated event_generated_time createdDateTime activityDateTime creation_time
    protoPayload.requestMetadata.requestAttributes.time requestReceivedTimestamp stageTimestamp
    effective_at message_time published id.time date_create detection_timestamp first_event_timestamp event.utctimestamp utctimestamp
    metadata.eventCreationTime winlog.time_created event.created event.start edgeStartTimestamp
    start start_time started_at begin_time flow.start creation_date
    service.eventFirstSeen log_time logged_at occurred_at occurrence_time action_time
    create_time created created_at created_date create_date generated_date_time
    calendar_time unix_time epoch epoch_time unixtimestamp timestamp_ms date
    _source.timestamp p_event_time event_received_time receive_timestamp received_at receive_time ingest_time
    updated_at last_updated end_time end modified_at last_seen _insertion_epoch_timestamp msg_time p_parse_time";

const USER: &str = "
    userIdentity.userName userIdentity.sessionContext.sessionIssuer.userName userIdentity.email
    requestParameters.userIdentity.userName
    user username account_name user.name user.email user.username user.user.name user.id
    actor.alternateId actor.user.email actor.user.name actor.email actor.emailAddress
    actor.loginName actor.login actor.username actor.name actor.displayName
    protoPayload.authenticationInfo.principalEmail protoPayload.authenticationInfo.principalSubject
    userPrincipalName properties.userPrincipalName initiatedBy.user.userPrincipalName
    properties.initiatedBy.user.userPrincipalName initiatedBy.app.displayName
    properties.initiatedBy.app.displayName identity.claims.name caller
    identity.claims.http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn
    user_id actor_email actor_name actor
    data.win.eventdata.user data.dstuser data.srcuser data.user
    event.UserName actor.session.user.email actor.session.user.name actor.api_key.id actor_user_name actor_user_email created_by.login created_by.email created_by.name user_email email email_address login_name login login_id account principal.email principal subject_user
    sender.login pusher.name sudo_user auth_user remote_user requester requester_name requester_email
    source.user.name source.user.id client.user.name user.full_name related.user
    impersonatedUser.username identity columns.username decorations.username
    data.details.request.auth.user.email data.details.request.auth.user.name data.user_name data.user_id
    admin.email admin.name admin_email adminid admin admin_name src_user suser duser dst_user
    acct auid_user uid_name ssouser subject.name subject issuer_user executed_by performed_by
    operator owner owner_email member created_by initiated_by initiator client_user cs-username
    userIdentity.arn userIdentity.principalId userIdentity.invokedBy userIdentity.type
    actor.id actor.user_id actor.id.0 actor_id user.uid uid user_uid userkey
    new.employee.email new.email data.email device_username process_username username_full
    event.user event.userid event.actor.loginName event.adminid profile.email person who
    UserSid event.UserSid sender sender.email from from_address src_endpoint.user.name";

const SOURCE_IP: &str = "
    source_ip src_ip source_ip_address source.ip client_ip client_ip_address client.ip client.ipAddress ip ip_address
    callerIpAddress properties.callerIpAddress properties.ipAddress caller_ip remote_ip remote_addr remote_address
    protoPayload.requestMetadata.callerIp httpRequest.remoteIp jsonPayload.remoteIp sourceIPs
    winlog.event_data.IpAddress winlog.event_data.SourceIp winlog.event_data.SourceAddress
    winlog.event_data.ClientAddress event_data.IpAddress event_data.SourceIp
    event.eventdata.IpAddress event.eventdata.SourceIp event.eventdata.SourceAddress event.eventdata.ClientAddress
    event.eventdata.data.IpAddress event.eventdata.data.SourceIp event.eventdata.data.SourceAddress
    event.eventdata.data.ClientAddress
    src_endpoint.ip actor.session.ip_address origin.geo_location.ip_address sender_ip request.remote_addr src_addr src source_address src_address saddr id.orig_h id_orig_h orig_h src_host_ip source
    data.srcip data.win.eventdata.ipAddress actor_ip actor_ip_address actor.ip actor.ip_address
    context.ip_address context.client_ip_address user_ip event.userip event.clientip request_ip request.ip
    remote_ip_address remotehost rhost peer peer_addr peer_ip client client_addr c-ip host_ip_from
    access_device.ip authentication_device.ip auth_device.ip aip device_external_ip external_ip
    x_forwarded_for http_x_forwarded_for forwarded_for true_client_ip cf_connecting_ip
    addr.remote addr_remote location.ip data.ip data.details.request.ip event.params.ip new.source_ip_address
    service.action.awsApiCallAction.remoteIpDetails.ipAddressV4
    service.action.networkConnectionAction.remoteIpDetails.ipAddressV4
    service.action.kubernetesApiCallAction.remoteIpDetails.ipAddressV4
    service.action.portProbeAction.portProbeDetails.remoteIpDetails.ipAddressV4
    httpRequest.clientIp request.ipChain.ip request.clientIp client_ip_v4 local_ip internal_ip device_internal_ip
    host.ip agent.ip p_any_ip_addresses login_ip last_login_ip ip_addr ipv4 ipv6 from_ip attacker_ip";

const HOST: &str = "
    host hostname host.name host.hostname computer computer_name winlog.computer_name
    event.system.computer system.computer data.win.system.computer device_name device.name device_hostname
    dest_host dest_hostname dst_host destination_host destination.domain server server_name server_host
    workstation agent.name agent.hostname hostIdentifier node node_name machine
    machine_name sensor sensor_name syslog_hostname shost dhost dvc dvchost instance_id instance observer.name
    access_device.hostname deviceDetail.displayName properties.deviceDetail.displayName data.computername
    resource.instanceDetails.instanceId resource.labels.instance_id resource.labels.node_name
    resource.labels.cluster_name system.hostname beat.hostname kubernetes.node.name vhost
    event.ComputerName metadata.hostname source_hostname asset asset_name endpoint.name ClientRequestHost
    device.hostname";

const ACTION: &str = "
    event_name protoPayload.methodName operation_name operation verb event_type_name event_simpleName
    event.event_simpleName action_name method_name action event.action actionParams.action
    winlog.task.name rule.name rule.description alert.signature signature query_type activity_display_name
    properties.activityDisplayName event_type._tag event_type..tag api.operation activity activity_name eventType activity_type type_name
    metadata.eventType event.operationname legacyEventType command_name function api request_method http_method
    ClientRequestMethod httpRequest.requestMethod http.request.method http.http_method data.details.request.method
    method cs-method audit_log_event event_id_description alert_name alert_type
    alarm_type_details.alarm_main_type finding_type category event.category type event name title short
    event_category data.type data.description sub_type description event_description task_name conn_state proto
    columns.action msg_type record_type op_type op
    event_type_id";

const OUTCOME: &str = "
    event_outcome event.outcome outcome.result outcome status result event_result success result_status
    responseElements.ConsoleLogin properties.result resultType response.statusCode
    responseStatus.code response_status_code status_code http_status http.response.status_code http.status
    httpRequest.status http.response_code EdgeResponseStatus response_code sc-status
    login_result login_status auth_result auth_status is_success is_successful succeeded successful
    execution_status event.success event.result event.params.status data.details.response.statusCode
    data.status authentication_result access_result verdict decision disposition granted allowed
    resultSignature outcome_result response.status response.result conclusion";

const RESOURCE: &str = "
    resource resource_name resource_id resource.name protoPayload.resourceName object object_name object_key
    requestParameters.bucketName requestParameters.roleName requestParameters.userName requestParameters.policyArn
    requestParameters.groupName requestParameters.instanceId requestParameters.secretId
    requestParameters.functionName requestParameters.name requestParameters.keyId
    requestParameters.dBInstanceIdentifier requestParameters.roleArn requestParameters.snapshotId
    target target.alternateId target.name target.displayName target_name objectRef.resource
    target_resources.displayName properties.targetResources.displayName targetResources.userPrincipalName
    properties.targetResources.userPrincipalName object_id
    resourceDisplayName properties.resourceDisplayName appDisplayName properties.appDisplayName
    application_name applicationDisplayName app_name
    path file_path file_name file.path file.name key bucket bucket_name key_name
    request_uri request_url uri url url.path url.full url.original http.url ClientRequestURI ClientRequestPath
    httpRequest.requestUrl httpRequest.uri http.request.url http.uri cs-uri-stem endpoint request request_path
    winlog.event_data.TargetFilename winlog.event_data.ObjectName winlog.event_data.TargetObject
    winlog.event_data.ShareName winlog.event_data.ServiceName winlog.event_data.DestinationIp
    winlog.event_data.TaskName winlog.event_data.QueryName winlog.event_data.TargetImage
    event.eventdata.TargetFilename event.eventdata.ObjectName event.eventdata.TargetObject
    event.eventdata.ShareName event.eventdata.ServiceName event.eventdata.TaskName event.eventdata.TargetImage
    event.eventdata.DestinationIp event.eventdata.QueryName
    event.eventdata.data.TargetFilename event.eventdata.data.ObjectName event.eventdata.data.TargetObject
    event.eventdata.data.ShareName event.eventdata.data.ServiceName event.eventdata.data.TaskName
    event.eventdata.data.TargetImage event.eventdata.data.DestinationIp event.eventdata.data.QueryName
    TargetFilename TargetObject ShareName ServiceName TargetImage PipeName QueryName
    table table_name database database_name db_name query dns.question.name dns.rrname rrname tls.sni sni
    service repository.full_name repo repository repo_name project project_id project_name
    destination.ip destination_ip dest_ip dst_ip dst_addr dst daddr destination_address destination
    dest_address id.resp_h id_resp_h resp_h dst_host_ip dest dest_name data.dstip remote_server
    entity.name entity.app.name entity.user.email entity.workspace.name entity.channel.name entity.file.name
    resources.ARN resource.gid resource.type event.target.name event.resource
    data.client_name columns.path columns.name columns.target_path folder folder_path document
    request.path request.uri doc_title parameters.doc_title application app share dataset instance_name
    target_user target_username affected_user subject_name entitySnapshot.name
    dst_endpoint.ip dst_endpoint.hostname recipient recipients to to_addresses subject_dn file.display_name assets.path.contextual assets.display_name";

const BYTES: &str = "
    bytes bytes_sent sent_bytes bytes_out bytes_transferred total_bytes size content_length response_size
    additionalEventData.bytesTransferredOut source.bytes destination.bytes network.bytes
    http.response.body.bytes http.response.bytes http.length flow.bytes_toserver flow.bytes_toclient
    orig_bytes orig_ip_bytes resp_bytes response_bytes body_bytes_sent bytes_received bytes_in
    httpRequest.responseSize EdgeResponseBytes file_size object_size payload_size transfer_size
    length fileinfo.size data_transferred bytes_scanned byte_count in_bytes out_bytes sc-bytes request_length
    tx_bytes rx_bytes sbytes data_size";

const COUNTRY: &str = "
    country country_code geo_country source.geo.country_iso_code source.geo.country_name
    client.geographicalContext.country client.geo.country_iso_code geoip.country_code2 geoip.country_code
    geoip.country_iso_code geoip.country_name geo.country geo.country_code geo.country_iso_code
    location.countryOrRegion properties.location.countryOrRegion location.country location.country_code
    actor_location.country_code location_country source_country src_country client_country
    access_device.location.country country_name country_iso ip_country GeoLocation.country_name
    service.action.awsApiCallAction.remoteIpDetails.country.countryName httpRequest.country
    request.ipChain.geographicalContext.country geo_location.country region_country
    src_endpoint.location.country origin.geo_location.country";

const PROCESS: &str = "
    process process_name process.name process.executable image winlog.event_data.NewProcessName
    winlog.event_data.Image winlog.event_data.ProcessName winlog.event_data.SourceImage
    event.eventdata.NewProcessName event.eventdata.Image event.eventdata.ProcessName
    event.eventdata.data.NewProcessName event.eventdata.data.Image event.eventdata.data.ProcessName
    NewProcessName SourceImage CallerProcessName winlog.event_data.Application exe program program_name executable
    comm command_line cmdline application_path event.ImageFileName ImageFileName data.win.eventdata.image
    columns.command columns.cmdline process.command_line process_path event.CommandLine proctitle
    process.comm InitiatingProcessFileName syslog_identifier daemon";

const USER_AGENT: &str = "
    user_agent user_agent.original client.userAgent.rawUserAgent http_user_agent
    protoPayload.requestMetadata.callerSuppliedUserAgent context.ua context.user_agent actor.user_agent
    http.user_agent http.http_user_agent httpRequest.userAgent ClientRequestUserAgent request_user_agent agent
    properties.userAgent additionalDetails.userAgent client_app client_app_used properties.clientAppUsed
    data.user_agent data.details.request.userAgent http.request.headers.user-agent cs-user-agent browser
    client.useragent.browser access_device.browser new.userAgent ua client_user_agent request.userAgent";

const MESSAGE: &str = "
    message msg log log_message full_log text raw_message textPayload details.message
    event_message log.original event.original";

/// Objects that only wrap the record proper: their fields are looked up as if they stood at the top.
pub(super) const ENVELOPES: &[&str] = &[
    "source",
    "event",
    "detail",
    "details",
    "data",
    "record",
    "records",
    "result",
    "payload",
    "log",
    "body",
    "jsonpayload",
    "properties",
    "params",
    "fields",
    "attributes",
    "new",
    "content",
    "message",
    "entry",
    "json",
    "winlog",
    "win",
    "eventdata",
    "system",
    "audit",
    "raw",
    "alert",
    "columns",
    "doc",
    "document",
    "hit",
];

/// How many of them may stand around a record.
pub(super) const MAX_ENVELOPES: usize = 3;

/// Last names (as compared) that tell enough wherever they stand, when nothing better is known.
pub(super) const ANYWHERE: &[(Slot, &str)] = &[
    (
        Slot::SourceIp,
        "sourceip sourceipaddress srcip clientip clientipaddress callerip calleripaddress remoteip ipaddress",
    ),
    (Slot::User, "userprincipalname principalemail username useremail loginname"),
    (Slot::UserAgent, "useragent rawuseragent"),
    (Slot::Country, "countrycode countryisocode"),
    (Slot::Action, "eventname operationname methodname"),
    (Slot::Host, "hostname computername"),
];
