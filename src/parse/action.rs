//! Words for actions to classes: one ordered table, the first rule that fits decides.
//!
//! An action's name is cut into words at case changes and at everything that is no letter, so `DeleteTrail`,
//! `delete_trail` and `DELETE TRAIL` are one. A rule is a list of groups that must all fit. A group holds alternatives
//! between `|`; `stop*` is every word with that beginning. Before a group, `^` asks for the first word, `$` for the last,
//! `=` for the only one, and `!` for none.

use super::{ActionClass, Outcome};

/// Remembers what words mean, by their hash: a log has few words for actions and repeats them.
#[derive(Debug, Clone)]
pub(super) struct WordCache<T> {
    /// Each word has two places, so that two frequent words of one place do not drive each other out.
    entries: Vec<[(u64, T); 2]>,
}

const CACHE_ENTRIES: usize = 256;

impl<T: Copy + Default> WordCache<T> {
    pub(super) fn new() -> Self {
        Self { entries: vec![[(0, T::default()); 2]; CACHE_ENTRIES] }
    }

    #[inline]
    pub(super) fn of(&mut self, hash: u64, find: impl FnOnce() -> T) -> T {
        let entry = &mut self.entries[hash as usize % CACHE_ENTRIES];
        match entry {
            [(first, value), _] if *first == hash => *value,
            [_, (second, value)] if *second == hash => *value,
            [first, second] => {
                (*second, *first) = (*first, (hash, find()));
                first.1
            }
        }
    }
}

/// What a name of an action says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) class: ActionClass,
    /// How it ended, where the name says so, as `UserLoginFailed` does.
    pub(super) outcome: Outcome,
}

/// What an action of this name is, and how it ended.
pub(super) fn meaning(name: &str) -> Meaning {
    let words = words(name);
    let fits = |rule: &str| rule.split_whitespace().all(|group| group_fits(group, &words));
    let class = RULES.iter().find(|(_, rules)| rules.iter().any(|rule| fits(rule))).map(|(class, _)| *class);
    let outcome = if fits(FAILED) {
        Outcome::Failure
    } else if fits(SUCCEEDED) {
        Outcome::Success
    } else {
        Outcome::Unknown
    };
    Meaning { class: class.unwrap_or_default(), outcome }
}

/// What sort of thing an action of this name is.
#[must_use]
pub fn classify(name: &str) -> ActionClass {
    meaning(name).class
}

fn group_fits(group: &str, words: &[String]) -> bool {
    let any =
        |group: &str, words: &[String]| words.iter().any(|word| group.split('|').any(|part| part_fits(part, word)));
    match group.split_at_checked(1) {
        Some(("!", group)) => !any(group, words),
        Some(("^", group)) => any(group, words.get(..1).unwrap_or_default()),
        Some(("$", group)) => any(group, words.get(words.len().saturating_sub(1)..).unwrap_or_default()),
        Some(("=", group)) => words.len() == 1 && any(group, words),
        _ => any(group, words),
    }
}

fn part_fits(part: &str, word: &str) -> bool {
    part.strip_suffix('*').map_or(part == word, |beginning| word.starts_with(beginning))
}

/// Longer names are cut: an action's kind stands in its first words, and log text is a stranger's.
const MAX_WORDS: usize = 24;

/// Lower-case words of a name: `ConsoleLogin` is `console`, `login`; `GetIAMUser` is `get`, `iam`, `user`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().take(256).collect();
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        let starts = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || before.is_uppercase() && after.is_some_and(|after| after.is_lowercase())
            });
        if (starts || !letter.is_alphabetic()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphabetic() {
            word.extend(letter.to_lowercase());
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words.truncate(MAX_WORDS);
    words
}

const FAILED: &str = "fail*|denied|invalid|reject*|refused|unauthorized|forbidden|block|blocked|drop|dropped|deny";
const SUCCEEDED: &str = "success*|succeed*|accept|accepted|allow|allowed|permitted|granted";

use ActionClass::{
    Configure, Connect, Delete, Download, Execute, List, Login, Logout, Other, Privilege, Read, RemoteLogin, Tamper,
    Upload, Write,
};

/// The table. What only reads comes before what it reads about; what weakens or grants, before plain changes.
const RULES: &[(ActionClass, &[&str])] = &[
    // What surrounds a login in a Unix log: counted as one, an attempt would count three times.
    (Other, &["^session $open", "=authentication", "^invalid $user"]),
    (
        Connect,
        &["=get|post|head|options|connect|trace|drop|dropped|reject|accept|allow|allowed|deny|denied|block|blocked"],
    ),
    (
        Logout,
        &[
            "logout|logouts|logoff|signout",
            "log|logged|sign|signed out|off",
            "session end|ended|close|closed|terminat*|invalidated|expire*",
        ],
    ),
    (Login, &["get session|federation token", "assume role* !updat*", "console login"]),
    (
        RemoteLogin,
        &[
            "ssh|sshd|rdp|winrm|psexec|telnet|vnc !key|keys !list* !get !describe*",
            "send ssh",
            "remote login|logon|desktop|interactive",
            "^start session",
            "^session $start",
            "serialconsole connect",
        ],
    ),
    (
        Download,
        &[
            "^get object|files",
            "$object get rest",
            "download|downloaded|downloads|clone|cloned|takeout|unload|retr !delet* !preview",
            "export*|exfil*|dump|dumped !delet* !updat* !list*",
            "^copy snapshot|image",
        ],
    ),
    (
        List,
        &[
            "^list*|describe*|enumerat*|search*|scan*|discover*|propfind|browse|find",
            "$list|search|enumerate|scan|listkeys !updat* !add* !remov*",
            "listkeys",
            "^batch get",
            "^get policy|acl|identity|summary|location|versioning|authorization|configuration",
        ],
    ),
    (
        Read,
        &[
            "^get*|read|view*|head|watch|show|lookup|select|fetch|retriev*|preview|peek|check|query",
            "$read|get|view|viewed|watch|opened|readyz|healthz",
            "read $action",
        ],
    ),
    (
        Tamper,
        &[
            "delet*|stop*|disabl*|remov*|disassociat*|destroy*|clear*|purg*|wip*|truncat*|eras*|suspend*|paus*|off|dismiss* \
             log|logs|logging|audit|auditing|eventlog|journal|trail|trails|detector|detectors|recorder|sink|sinks|monitor\
             |monitoring|alarm|alarms|alert|alerts|guardduty|securityhub|macie|inspector|defender|antivirus|sysmon|selinux\
             |apparmor|firewall|firewalls|waf|protection|scanning|insights|diagnosticsettings|networkwatchers|findings",
            "updat*|put|modif* trail|trails|detector|detectors|selectors|sink|sinks|recorder",
            "disabl* security|two|mfa|saml|sso|dependabot|intune|scanning|protection",
            "delet*|disassociat* web acl",
            "protected branch destroy|override*",
            "leave organization",
            "disassociat* members|master|administrator",
            "tamper*|unload driver|sensor|agent",
            "archive findings",
        ],
    ),
    (
        Configure,
        &[
            "authentication|auth|sso|saml|login|mfa|idp|factor config*|settings|setting|requir*|method|pref*|restrict*",
            "security group|groups !user|member|role",
        ],
    ),
    (
        Privilege,
        &[
            "sudo|su|runas|sudoers|setuid|privilege|privileges|escalat*|elevat*|impersonat*|entitlement|consent",
            "attach*|put|set|updat*|chang*|creat*|add*|modif*|detach*|delet*|grant*|revok*|assign*|remov*|write|edit*|patch\
             |insert|promot* \
             role|roles|permission|permissions|policy|policies|iam|setiampolicy|acl|rolebinding*|clusterrole*\
             |roleassignment*|roledefinitions|assignment|admin|admins|owner|principal*|membership \
             !retention|object|trigger|immutabilitypolicies|branch",
            "creat*|add*|generat*|issu*|import*|new|upload*|regenerat*|rotate* \
             key|keys|secret|secrets|token|tokens|credential|credentials|apikey|pat|certificate|certificates",
            "regeneratekey|serviceaccountkey",
            "creat*|add*|invit*|enabl*|promot*|activat*|join*|provision*|transfer*|unlock*|new \
             account|accounts|user|users|member|members|collaborator|serviceaccount|serviceaccounts|admin|guest|group\
             |groups|identity",
            "login profile creat*|updat*",
            "reset*|chang*|set|forc*|updat* password|passwords|passphrase|pwd",
            "mfa|factor|factors|otp|sv reset*|disabl*|deactivat*|bypass*|remov*|delet*|updat*|chang*",
            "modif*|reset snapshot|image attribute",
            "oauth authoriz*|grant*",
            "sign jwt|blob",
            "provider|pool creat*|updat*|add*|delet* saml|idp|identity|workforce|oidc",
            "app|integration install*|approv*",
        ],
    ),
    (
        Login,
        &[
            "login*|logon*|signin|authenticat*|auth|authn|logins",
            "log|logged|sign|signed in|on",
            "session start*|begin|open*|creat*",
            "token request*|refresh*|exchang*",
            "kerberos|preauthentication",
            "challenge|mfa|otp|push|factor verif*|attempt*",
            "accepted|failed password|publickey",
        ],
    ),
    (
        Execute,
        &[
            "exec|execut*|run|runs|invok*|spawn*|launch*|command|commands|cmd|script|powershell|runcommand|shell|converse",
            "process|processes creat*|start*|rollup|exec*",
            "service|task|job|cron|crontab|daemon|scheduled install*|creat*|regist*|schedul*",
            "load* image|driver|module",
        ],
    ),
    (Upload, &["upload*|ingest|putblob|stor", "put object|objects|blob|file", "copy into", "send file"]),
    (
        Delete,
        &[
            "delet*|remov*|destroy*|destruct*|drop*|purg*|unlink|rm|eras*|wip*|terminat*|rmdir|trash*|deregister*|revok*\
           |unshar*|archiv*|uninstall*|deprovision*|detach*",
        ],
    ),
    (
        Configure,
        &["config*|reconfigur*|setting|settings|preference*|enabl*|disabl*|set|setup|toggl*|authoriz*|registry|policy\
           |policies|rule|rules|attribute|attributes|modif*|inbox|install*|regist*|restrict*|chang*|enforc*|enroll*|unenroll*"],
    ),
    (
        Write,
        &["creat*|writ*|put|patch|updat*|edit*|add*|insert*|upsert|merg*|push*|copy|copied|mov*|renam*|replac*|sav*\
           |append*|publish*|commit*|new|start*|stop*|restart*|reboot*|mkdir|touch|chmod|chown|tag*|untag*|shar*|send|sent\
           |generat*|submit*|approv*|comment*|associat*|disassociat*|allocat*|attach*|restor*|transfer*|sync*|import*|store\
           |mount*|unmount*|provision*|schedul*|initiat*|complet*|issu*|sign|signed|resend|undelet*|recover*|convert*|extend*"],
    ),
    (
        Connect,
        &[
            "http*|connect*|conn|flow|netflow|dns|network|tcp|udp|icmp|tls|ssl|request|requests|bind|proxy|url|web|traffic\
           |packet|resolv*|ping|firewall|listen*",
        ],
    ),
    (
        Read,
        &[
            "read*|get*|view*|access*|open*|fetch*|retriev*|select*|display*|decrypt*|preview*|play*|visit*|print*|show*\
           |watch|inspect*|receiv*|begingetaccess",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_words() {
        assert_eq!(words("ConsoleLogin"), ["console", "login"]);
        assert_eq!(words("GetIAMUser2"), ["get", "iam", "user"]);
        assert_eq!(words("MICROSOFT.COMPUTE/DISKS/WRITE"), ["microsoft", "compute", "disks", "write"]);
        assert_eq!(words("user.session.start"), ["user", "session", "start"]);
        assert!(words("").is_empty() && words("4624").is_empty());
        assert_eq!(words(&"a b ".repeat(1000)).len(), MAX_WORDS);
    }

    #[test]
    fn names_of_real_logs_have_classes() {
        let wrong: Vec<_> = EXPECTED
            .iter()
            .flat_map(|(class, names)| names.split_whitespace().map(move |name| (name, *class)))
            .filter(|(name, class)| classify(name) != *class)
            .map(|(name, class)| format!("{name}: expected {class:?}, found {:?}", classify(name)))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn names_may_say_how_it_ended() {
        for (name, outcome) in [
            ("UserLoginFailed", Outcome::Failure),
            ("login.succeeded", Outcome::Success),
            ("Dovecot Authentication Success.", Outcome::Success),
            ("REJECT", Outcome::Failure),
            ("ConsoleLogin", Outcome::Unknown),
        ] {
            assert_eq!(meaning(name).outcome, outcome, "{name}");
        }
    }

    #[test]
    fn two_words_of_one_place_stay_both_in_the_cache() {
        let mut cache = WordCache::<u8>::new();
        let (first, second) = (7, 7 + CACHE_ENTRIES as u64);
        assert_eq!((cache.of(first, || 1), cache.of(second, || 2)), (1, 2));
        assert_eq!((cache.of(first, || 9), cache.of(second, || 9)), (1, 2));
        cache.of(second + CACHE_ENTRIES as u64, || 3);
        assert_eq!(cache.of(first, || 9), 9);
    }

    const EXPECTED: &[(ActionClass, &str)] = &[
        (
            Tamper,
            "log_delete audit_disable clear_log DeleteTrail StopLogging UpdateTrail UpdateDetector DeleteDetector
             DeleteFlowLogs PutEventSelectors DeleteLogGroup DisableAlarmActions StopConfigurationRecorder
             DeleteModelInvocationLoggingConfiguration DeleteResolverQueryLogConfig LeaveOrganization DisassociateWebACL
             google.logging.v2.ConfigServiceV2.DeleteSink org.disable_two_factor_requirement secret_scanning.disable
             protected_branch.policy_override repository_vulnerability_alert.dismiss business_advanced_security.disabled
             MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE",
        ),
        (Logout, "logout user_logout user.session.end UserLoggedOff session_closed"),
        (RemoteLogin, "remote_login StartSession sshd SendSSHPublicKey session.start"),
        (
            Privilege,
            "sudo role_change policy_change key_create AttachUserPolicy PutRolePolicy CreateAccessKey AddUserToGroup
             CreateUser CreateLoginProfile UpdateLoginProfile UpdateAssumeRolePolicy SetIamPolicy ModifySnapshotAttribute
             google.iam.admin.v1.CreateServiceAccountKey io.k8s.rbac.v1.clusterroles.create DeactivateMFADevice
             Microsoft.Authorization/roleAssignments/write user.account.privilege.grant user.account.reset_password
             org.add_member org.invite_member admin_api_key_created grantUserRoles addPrincipalToGroup setAccountAdmin
             user.mfa.factor.reset_all GenerateAccessToken CreateSAMLProvider app_installed role_assignment_granted",
        ),
        (
            Login,
            "login ConsoleLogin AssumeRole AssumeRoleWithSAML GetSessionToken user.session.start UserLoggedIn SignIn
             UserLoginFailed user.authentication.sso login.failed jwtLogin user_login_succeeded Sign-in",
        ),
        (Execute, "execute InvokeModel RunInstances SendCommand ProcessRollup2 StartQueryExecution session.command
                   MICROSOFT.COMPUTE/VIRTUALMACHINES/RUNCOMMAND/ACTION io.k8s.core.v1.pods.exec.create"),
        (Upload, "upload PutObject putblob file_uploaded"),
        (Download, "download GetObject git.clone repo.download_zip page.exported REST.GET.OBJECT GET_FILES
                    StartExportTask FileDownloaded"),
        (List, "list ListBuckets DescribeInstances GetBucketAcl GetCallerIdentity io.k8s.core.v1.secrets.list
                compute.instances.list microsoft.storage/storageaccounts/listkeys/action BatchGetSecretValue"),
        (Delete, "delete DeleteBucket TerminateInstances v1.compute.instances.delete app_uninstalled dropSchema trash
                  public_key.delete Microsoft.Authorization/locks/delete"),
        (Configure, "config_change AuthorizeSecurityGroupIngress EnableRegion New-InboxRule Set-Mailbox EMAIL_SETTINGS
                     workspace.settings.enforce_saml_sso_config_updated ModifyDBInstance email_forwarding_change"),
        (Connect, "http_post GET POST DnsRequest NetworkConnectIP4 REJECT flow connection"),
        (Write, "write update CreateBucket PutBucketVersioning Microsoft.Network/virtualNetworks/write put
                 v1.compute.snapshots.insert repo.create SendHeartbeat"),
        (Read, "read view GetSecretValue GetPasswordData Decrypt page.viewed Microsoft.Compute/disks/read
                microsoft.network/publicipaddresses/read io.k8s.core.v1.pods.get access"),
        (ActionClass::Other, "heartbeat 4624 TOXIC_COMBINATION"),
    ];
}
