//! `cloudtrail.json.gz`: one cloud account's trail in the shape in which it is delivered: one object with `Records`.
//!
//! Account and key ids are those of the vendor's own documentation.

use serde_json::{Value, json};

use super::{
    log::{DAYS, HOUR, Incident, MINUTE, Moment, Packing, Sample, is_weekend},
    random::Random,
};

const RECONNAISSANCE: Incident = Incident {
    id: "cloudtrail-reconnaissance",
    threat_type: "reconnaissance",
    entity: ("user", "artifact-publisher"),
    story: "the publisher's leaked key lists and describes everything it can, from a new address; most is denied",
};
const ESCALATION: Incident = Incident {
    id: "cloudtrail-privilege-escalation",
    threat_type: "privilege_escalation",
    entity: ("user", "artifact-publisher"),
    story: "the key makes a new user, a new access key, and attaches the administrator policy",
};
const EVASION: Incident = Incident {
    id: "cloudtrail-defense-evasion",
    threat_type: "defense_evasion",
    entity: ("user", "artifact-publisher"),
    story: "it stops the trail, narrows its selectors and deletes the detector",
};
const EXFILTRATION: Incident = Incident {
    id: "cloudtrail-data-exfiltration",
    threat_type: "data_exfiltration",
    entity: ("user", "artifact-publisher"),
    story: "it downloads 72 objects of 20 to 60 MB from the customer bucket",
};

const ACCOUNT: &str = "111122223333";

struct Call<'a> {
    user: &'a str,
    address: &'a str,
    agent: &'a str,
    service: &'a str,
    name: &'a str,
    parameters: Value,
    error: Option<&'a str>,
    bytes: Option<u64>,
}

impl Call<'_> {
    fn at(&self, time: Moment, number: u64) -> String {
        let read_only = ["Get", "List", "Describe", "Head", "Lookup"].iter().any(|verb| self.name.starts_with(verb));
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": format!("AIDAEXAMPLE{}", self.user.replace('-', "").to_uppercase()),
                "arn": format!("arn:aws:iam::{ACCOUNT}:user/{}", self.user),
                "accountId": ACCOUNT,
                "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
                "userName": self.user,
            },
            "eventTime": time.rfc3339(),
            "eventSource": format!("{}.amazonaws.com", self.service),
            "eventName": self.name,
            "awsRegion": "eu-north-1",
            "sourceIPAddress": self.address,
            "userAgent": self.agent,
            "requestParameters": self.parameters,
            "responseElements": null,
            "eventID": format!("{:08x}-0000-4000-8000-{:012x}", number, number * 7919),
            "readOnly": read_only,
            "eventType": "AwsApiCall",
            "managementEvent": self.bytes.is_none(),
            "recipientAccountId": ACCOUNT,
            "eventCategory": if self.bytes.is_some() { "Data" } else { "Management" },
        });
        if let Some(error) = self.error {
            record["errorCode"] = json!(error);
            record["errorMessage"] =
                json!(format!("User: arn:aws:iam::{ACCOUNT}:user/{} is not authorized", self.user));
        }
        if let Some(bytes) = self.bytes {
            record["additionalEventData"] = json!({ "bytesTransferredIn": 0, "bytesTransferredOut": bytes });
        }
        record.to_string()
    }
}

/// The log.
pub(crate) fn sample() -> Sample {
    let mut log = Sample::wrapped("cloudtrail.json.gz", Packing::Gzip);
    let mut random = Random::new(6);
    for day in 0..DAYS {
        machines(&mut log, &mut random, day);
        if !is_weekend(day) {
            engineers(&mut log, &mut random, day);
        }
    }
    leaked_key(&mut log, &mut random);
    log.sorted()
}

fn machines(log: &mut Sample, random: &mut Random, day: i64) {
    let builds = if is_weekend(day) { 1 } else { random.between(3, 5) };
    for _ in 0..builds {
        let mut time = Moment::on(day, random.around(13 * HOUR, 5 * HOUR));
        for (service, name) in [
            ("sts", "GetCallerIdentity"),
            ("s3", "ListBuckets"),
            ("s3", "PutObject"),
            ("s3", "PutObject"),
            ("cloudfront", "CreateInvalidation"),
        ] {
            let call = Call {
                user: "artifact-publisher",
                address: "10.30.0.12",
                agent: "aws-cli/2.31.4",
                service,
                name,
                parameters: if service == "s3" { json!({ "bucketName": "site-artifacts" }) } else { Value::Null },
                error: None,
                bytes: None,
            };
            log.add(time, call.at(time, random.below(1 << 32)));
            time = time.plus_millis(random.between(1_000, 9_000));
        }
    }
    for slot in 0..16 {
        let time = Moment::on(day, slot * 90 * MINUTE + 10 * MINUTE + random.between(0, 30));
        let key = format!("exports/{day:02}/{slot:02}.parquet");
        let call = Call {
            user: "data-sync",
            address: "10.30.0.15",
            agent: "sync-job/1.8",
            service: "s3",
            name: "GetObject",
            parameters: json!({ "bucketName": "warehouse", "key": key }),
            error: None,
            bytes: Some(random.size(3_000_000)),
        };
        log.add(time, call.at(time, random.below(1 << 32)));
    }
}

fn engineers(log: &mut Sample, random: &mut Random, day: i64) {
    const CALLS: [(&str, &str); 8] = [
        ("ec2", "DescribeInstances"),
        ("logs", "GetLogEvents"),
        ("ecs", "DescribeServices"),
        ("ecs", "UpdateService"),
        ("rds", "DescribeDBInstances"),
        ("iam", "ListRoles"),
        ("s3", "ListObjects"),
        ("cloudwatch", "GetMetricData"),
    ];
    for (position, user) in ["lind", "berg", "dahl", "hult", "kask"].into_iter().enumerate() {
        let address = format!("10.20.1.{}", 11 + position * 9);
        let mut seconds = random.around(9 * HOUR + 1800, HOUR);
        for _ in 0..random.between(5, 11) {
            let (service, name) = CALLS[(random.below(4) as usize + position) % CALLS.len()];
            let time = Moment::on(day, seconds);
            let call = Call {
                user,
                address: &address,
                agent: "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
                service,
                name,
                parameters: Value::Null,
                error: random.percent(2).then_some("AccessDenied"),
                bytes: None,
            };
            log.add(time, call.at(time, random.below(1 << 32)));
            seconds += random.between(MINUTE, 70 * MINUTE);
        }
        // The administrator really does manage accounts.
        if user == "lind" && random.percent(50) {
            let time = Moment::on(day, seconds);
            let call = Call {
                user,
                address: &address,
                agent: "aws-cli/2.31.4",
                service: "iam",
                name: random.pick(&["AttachUserPolicy", "AddUserToGroup", "UpdateAccessKey"]),
                parameters: json!({ "userName": "kask" }),
                error: None,
                bytes: None,
            };
            log.add(time, call.at(time, random.below(1 << 32)));
        }
    }
}

fn leaked_key(log: &mut Sample, random: &mut Random) {
    let stolen = |service, name, parameters| Call {
        user: "artifact-publisher",
        address: "198.51.100.66",
        agent: "Boto3/1.40.3 Python/3.13",
        service,
        name,
        parameters,
        error: None,
        bytes: None,
    };
    let mut time = Moment::on(11, HOUR + 34 * MINUTE);
    const LOOKS: [(&str, &str); 20] = [
        ("iam", "ListUsers"),
        ("iam", "ListRoles"),
        ("iam", "ListPolicies"),
        ("iam", "GetAccountAuthorizationDetails"),
        ("iam", "ListAttachedUserPolicies"),
        ("ec2", "DescribeInstances"),
        ("ec2", "DescribeSecurityGroups"),
        ("ec2", "DescribeSnapshots"),
        ("rds", "DescribeDBInstances"),
        ("lambda", "ListFunctions"),
        ("secretsmanager", "ListSecrets"),
        ("ssm", "DescribeParameters"),
        ("kms", "ListKeys"),
        ("dynamodb", "ListTables"),
        ("ecs", "ListClusters"),
        ("eks", "ListClusters"),
        ("organizations", "DescribeOrganization"),
        ("cloudtrail", "DescribeTrails"),
        ("guardduty", "ListDetectors"),
        ("s3", "GetBucketPolicy"),
    ];
    for round in 0..3 {
        for (position, (service, name)) in LOOKS.into_iter().enumerate() {
            let mut call = stolen(service, name, Value::Null);
            call.error = (position % 3 != round % 3).then_some("AccessDenied");
            log.plant(&RECONNAISSANCE, time, call.at(time, random.below(1 << 32)));
            time = time.plus_millis(random.between(2_000, 19_000));
        }
    }
    for (name, target) in [
        ("CreateUser", "svc-support"),
        ("CreateAccessKey", "svc-support"),
        ("AttachUserPolicy", "svc-support"),
        ("CreateLoginProfile", "svc-support"),
        ("PutUserPolicy", "artifact-publisher"),
        ("AttachUserPolicy", "artifact-publisher"),
        ("CreateAccessKey", "lind"),
    ] {
        let policy = format!("arn:aws:iam::aws:policy/{}", "AdministratorAccess");
        let call = stolen("iam", name, json!({ "userName": target, "policyArn": policy }));
        log.plant(&ESCALATION, time, call.at(time, random.below(1 << 32)));
        time = time.plus_millis(random.between(9_000, 60_000));
    }
    for (service, name, target) in [
        ("cloudtrail", "StopLogging", "main-trail"),
        ("cloudtrail", "PutEventSelectors", "main-trail"),
        ("cloudtrail", "DeleteTrail", "main-trail"),
        ("guardduty", "DeleteDetector", "12abc34d567e8fa901bc2d34e56789f0"),
        ("logs", "DeleteLogGroup", "audit"),
    ] {
        let call = stolen(service, name, json!({ "name": target }));
        log.plant(&EVASION, time, call.at(time, random.below(1 << 32)));
        time = time.plus_millis(random.between(6_000, 40_000));
    }
    for number in 0..72 {
        let key = format!("customers/2025/part-{number:04}.parquet");
        let mut call = stolen("s3", "GetObject", json!({ "bucketName": "customer-records", "key": key }));
        call.bytes = Some(random.between(20_000_000, 60_000_000) as u64);
        log.plant(&EXFILTRATION, time, call.at(time, random.below(1 << 32)));
        time = time.plus_millis(random.between(1_000, 8_000));
    }
}
