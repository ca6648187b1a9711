import type { LayoutSource } from './layout.ts';
import { useLinesBelow } from './refine.ts';

const apacheLevels = Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((n) => [`trace${n}`, 'trace']));

/** Web servers, databases and other servers. */
export const serverLayouts: readonly LayoutSource[] = [
  {
    name: 'nginx-error',
    title: 'nginx, error log',
    pattern: '%{TIME} [%{LEVEL:level}] %{INT:process.pid}#%{INT}: %{GREEDYDATA:message}',
    time: 'iso8601',
    service: 'nginx',
    examples: [
      [
        '2025/03/14 09:26:53 [crit] 31#0: *7 open() failed',
        {
          timestamp: '2025-03-14T09:26:53.000000Z',
          level: 'crit',
          service: 'nginx',
          message: '*7 open() failed',
          process: { pid: 31 },
        },
      ],
    ],
  },
  {
    name: 'apache-error',
    title: 'Apache, error log',
    pattern: [
      '[%{TIME}] [(%{NAME:log.logger})?:%{LEVEL:level}] ([pid %{INT:process.pid}(:tid %{INT})?] )?%{GREEDYDATA:message}',
      '[%{TIME}] [%{LEVEL:level}] ([pid %{INT:process.pid}(:tid %{INT})?] )?%{GREEDYDATA:message}',
    ],
    time: '%a %b %e %H:%M:%S %Y',
    levels: apacheLevels,
    service: 'apache',
    examples: [
      [
        '[Fri Mar 14 09:26:53.589793 2025] [ssl:warn] [pid 9:tid 140] AH01909: no match',
        {
          timestamp: '2025-03-14T09:26:53.589793Z',
          level: 'warn',
          service: 'apache',
          message: 'AH01909: no match',
          log: { logger: 'ssl' },
          process: { pid: 9 },
        },
      ],
      [
        '[Sun Dec 04 04:51:08 2005] [error] mod_jk child workerEnv in error state 6',
        {
          timestamp: '2005-12-04T04:51:08.000000Z',
          level: 'error',
          message: 'mod_jk child workerEnv in error state 6',
        },
      ],
    ],
  },
  {
    name: 'php-error',
    title: 'PHP, error log',
    pattern: [
      '[%{TIME}] PHP %{DATA:level}: %{GREEDYDATA:message}',
      'PHP %{DATA:level}:  %{GREEDYDATA:message}',
    ],
    time: '%d-%b-%Y %H:%M:%S %z?',
    levels: {
      'Fatal error': 'fatal',
      'Parse error': 'fatal',
      'Recoverable fatal error': 'error',
      'Catchable fatal error': 'error',
      'Core error': 'fatal',
      'Compile error': 'fatal',
      Warning: 'warn',
      'Core Warning': 'warn',
      Notice: 'info',
      Deprecated: 'info',
      'Strict Standards': 'info',
    },
    service: 'php',
    examples: [
      [
        '[14-Mar-2025 10:26:53 Europe/Berlin] PHP Deprecated:  each() in /app/a.php on line 3',
        {
          timestamp: '2025-03-14T09:26:53.000000Z',
          level: 'info',
          message: 'each() in /app/a.php on line 3',
        },
      ],
    ],
  },
  {
    name: 'php-fpm',
    title: 'PHP-FPM',
    pattern: '[%{TIME}] %{LEVEL:level}: %{GREEDYDATA:message}',
    time: ['%d-%b-%Y %H:%M:%S %z?', '%d-%b-%Y %H:%M:%S'],
    service: 'php-fpm',
    examples: [
      [
        '[14-Mar-2025 09:26:53] ERROR: unable to bind',
        { timestamp: '2025-03-14T09:26:53.000000Z', level: 'ERROR', message: 'unable to bind' },
      ],
    ],
  },
  {
    name: 'postgresql',
    title: 'PostgreSQL, log_line_prefix of Debian, Red Hat, Docker and RDS',
    pattern: [
      '%{TIME} [%{INT:process.pid}(-%{INT})?](:)?( [%{DATA:postgres.session}])?( (user=)?(%{NAME:user.name}|[%{NAME}])(@|,db=)(%{NAME:db.name}|[%{NAME}])(,app=%{NAME:postgres.app})?(,client=%{NOTSPACE:client.address})?)?(:)? %{WORD:level}: %{GREEDYDATA:message}',
      '%{TIME}:%{DATA:client.address}:(%{NAME:user.name}|[%{NAME}])?@(%{NAME:db.name}|[%{NAME}])?:[%{INT:process.pid}]:%{WORD:level}: %{GREEDYDATA:message}',
      '< %{TIME} >%{WORD:level}: %{GREEDYDATA:message}',
    ],
    time: 'iso8601',
    levels: {
      LOG: 'info',
      STATEMENT: 'info',
      DETAIL: 'info',
      HINT: 'info',
      CONTEXT: 'info',
      QUERY: 'info',
      LOCATION: 'info',
      PANIC: 'fatal',
      DEBUG1: 'debug',
      DEBUG2: 'debug',
      DEBUG3: 'debug',
      DEBUG4: 'debug',
      DEBUG5: 'debug',
    },
    service: 'postgresql',
    examples: [
      [
        '2025-03-14 09:26:53.589 UTC [12345] app@shop ERROR:  deadlock detected',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'ERROR',
          message: 'deadlock detected',
          user: { name: 'app' },
          db: { name: 'shop' },
        },
      ],
      [
        '2025-03-14 09:26:53 UTC::@:[123]:LOG:  checkpoint complete',
        { level: 'info', message: 'checkpoint complete', process: { pid: 123 } },
      ],
    ],
  },
  {
    name: 'pgbouncer',
    title: 'PgBouncer',
    pattern: '%{TIME} [%{INT:process.pid}] %{WORD:level} %{GREEDYDATA:message}',
    time: 'iso8601',
    levels: { LOG: 'info', NOISE: 'trace' },
    refine: (_, text) => /\] (?:LOG|NOISE) |\] [A-Z]+ [CS]-0x/.test(text),
    examples: [
      [
        '2025-03-14 09:26:53.589 UTC [123] LOG C-0x5: shop/app@10.0.0.1:5000 login attempt',
        { level: 'info', message: 'C-0x5: shop/app@10.0.0.1:5000 login attempt' },
      ],
    ],
  },
  {
    name: 'mysql',
    title: 'MySQL and MariaDB, error log',
    pattern: [
      '%{TIME} (%{INT:thread.id} )?[%{WORD:level}]( [%{NAME:event.code}])?( [%{NAME:log.logger}])? %{GREEDYDATA:message}',
    ],
    time: ['iso8601', '%y%m%d %k:%M:%S'],
    levels: { System: 'info', Note: 'info' },
    service: 'mysql',
    // Others write a time and a level in brackets too.
    refine: (event, text) =>
      /^[\d-]+[T ]+[\d:.]+\S* +(?:\d+ )?\[(?:System|Note|Warning|ERROR|Error)\]/.test(text) &&
      ('thread' in event || /^\d{6} |\[(?:System|Note)\]/.test(text)),
    examples: [
      [
        '2025-03-14T09:26:53.589793Z 7 [Warning] [MY-010055] [Server] IP address could not be resolved',
        {
          timestamp: '2025-03-14T09:26:53.589793Z',
          level: 'Warning',
          message: 'IP address could not be resolved',
          event: { code: 'MY-010055' },
        },
      ],
      [
        '250314  9:26:53 [Note] Event Scheduler: Loaded 0 events',
        { timestamp: '2025-03-14T09:26:53.000000Z', level: 'info' },
      ],
    ],
  },
  {
    name: 'mysql-slow',
    title: 'MySQL and MariaDB, slow query log',
    pattern: '# Time: %{TIME}',
    time: ['iso8601', '%y%m%d %k:%M:%S'],
    service: 'mysql',
    refine: (event, text) => {
      event['level'] = 'warn';
      const time = /Query_time: ([\d.]+)/.exec(text)?.[1];
      if (time !== undefined) event['mysql'] = { query_time_s: Number(time) };
      const newline = text.indexOf('\n');
      event['message'] = newline === -1 ? text : text.slice(newline + 1);
    },
    examples: [
      [
        '# Time: 2025-03-14T09:26:53.589793Z\n# User@Host: app[app] @ [10.0.0.1]\n# Query_time: 2.5  Lock_time: 0\nSELECT 1;',
        { timestamp: '2025-03-14T09:26:53.589793Z', level: 'warn', mysql: { query_time_s: 2.5 } },
      ],
    ],
  },
  {
    name: 'redis',
    title: 'Redis and Valkey',
    pattern: [
      '%{INT:process.pid}:%{LETTER:redis.role} %{TIME} %{NOTSPACE:level} %{GREEDYDATA:message}',
      '[%{INT:process.pid}] %{TIME} %{NOTSPACE:level} %{GREEDYDATA:message}',
    ],
    time: ['%e %b %Y %H:%M:%S', '%e %b %H:%M:%S'],
    levels: { '.': 'debug', '*': 'info', '#': 'warn' },
    service: 'redis',
    // `-` is Redis' verbose level; elsewhere a dash is no value.
    refine: (event, text) => {
      if (event['level'] === undefined && / - /.test(text.slice(0, 60))) event['level'] = 'debug';
      return /^(?:debug|info|warn)$/.test(String(event['level']));
    },
    examples: [
      [
        '9:S 14 Mar 2025 09:26:53.589 * MASTER <-> REPLICA sync started',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'info',
          message: 'MASTER <-> REPLICA sync started',
        },
      ],
      [
        '9:M 14 Mar 2025 09:26:53.589 - Accepted 10.0.0.1:5000',
        { level: 'debug', message: 'Accepted 10.0.0.1:5000' },
      ],
    ],
  },
  {
    name: 'mongodb',
    title: 'MongoDB before 4.4',
    pattern: '%{TIME} %{WORD:level} %{NAME:log.logger} [%{DATA:thread.name}] %{GREEDYDATA:message}',
    time: 'iso8601',
    levels: {
      F: 'fatal',
      E: 'error',
      W: 'warn',
      I: 'info',
      D: 'debug',
      D1: 'debug',
      D2: 'debug',
      D3: 'trace',
      D4: 'trace',
      D5: 'trace',
    },
    service: 'mongodb',
    refine: (_, text) => /^\S+ [FEWID]\d? [A-Z-]+ +\[/.test(text),
    examples: [
      [
        '2025-03-14T09:26:53.589+0000 W NETWORK  [conn7] socket closed',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'warn',
          message: 'socket closed',
          thread: { name: 'conn7' },
        },
      ],
    ],
  },
  {
    name: 'clickhouse',
    title: 'ClickHouse',
    pattern:
      '%{TIME} [ %{INT:thread.id} ] {%{DATA:clickhouse.query_id}} <%{LEVEL:level}> %{GREEDYDATA:message}',
    time: 'iso8601',
    service: 'clickhouse',
    examples: [
      [
        '2025.03.14 09:26:53.589793 [ 123 ] {} <Information> Application: Ready for connections.',
        { timestamp: '2025-03-14T09:26:53.589793Z', level: 'Information' },
      ],
    ],
  },
  {
    name: 'couchdb',
    title: 'CouchDB',
    pattern:
      '[%{LEVEL:level}] %{TIME} %{NAME}@%{NOTSPACE:couchdb.node} <%{DATA:erlang.pid}> %{NOTSPACE:requestId} %{GREEDYDATA:message}',
    time: 'iso8601',
    service: 'couchdb',
    refine: (event) => void (/^-+$/.test(String(event['requestId'])) && delete event['requestId']),
    examples: [
      [
        '[error] 2025-03-14T09:26:53.589793Z couch@node1 <0.7.0> -------- rexi_server: from',
        { timestamp: '2025-03-14T09:26:53.589793Z', level: 'error', message: 'rexi_server: from' },
      ],
    ],
  },
  {
    name: 'mssql',
    title: 'Microsoft SQL Server, ERRORLOG',
    pattern: '%{TIME} (spid%{NAME:mssql.spid}|Server|Logon|Backup) %{GREEDYDATA:message}',
    time: 'iso8601',
    service: 'mssql',
    refine: (event) => void (/^Error: /.test(String(event['message'])) && (event['level'] = 'error')),
    examples: [
      [
        '2025-03-14 09:26:53.58 spid12s     Error: 17054, Severity: 16, State: 1.',
        { timestamp: '2025-03-14T09:26:53.580000Z', level: 'error' },
      ],
    ],
  },
  {
    name: 'rabbitmq',
    title: 'RabbitMQ, EMQX and others with Lager',
    pattern: '%{TIME} [%{LEVEL:level}] <%{DATA:erlang.pid}> %{GREEDYDATA:message}',
    time: 'iso8601',
    examples: [
      [
        '2025-03-14 09:26:53.589793+01:00 [warning] <0.7.0> closing AMQP connection',
        { timestamp: '2025-03-14T08:26:53.589793Z', level: 'warning', message: 'closing AMQP connection' },
      ],
    ],
  },
  {
    name: 'erlang-report',
    title: 'Erlang, error reports',
    pattern: '=%{WORD:level} REPORT==== %{TIME} ===',
    time: ['%d-%b-%Y::%H:%M:%S', '%Y-%m-%d::%H:%M:%S'],
    levels: { CRASH: 'error', SUPERVISOR: 'error', PROGRESS: 'info' },
    refine: useLinesBelow,
    examples: [
      [
        '=ERROR REPORT==== 14-Mar-2025::09:26:53.589793 ===\nError in process <0.7.0>',
        { timestamp: '2025-03-14T09:26:53.589793Z', level: 'ERROR', message: 'Error in process <0.7.0>' },
      ],
    ],
  },
  {
    name: 'elasticsearch',
    title: 'Elasticsearch, OpenSearch, Logstash',
    pattern:
      '[%{TIME}][%{LEVEL:level}%{SPACE}][%{DATA:log.logger}]( [%{DATA:elasticsearch.node}])? %{GREEDYDATA:message}',
    time: 'iso8601',
    examples: [
      [
        '[2025-03-14T09:26:53,589][INFO ][o.e.n.Node               ] [node-1] started',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'INFO',
          message: 'started',
          log: { logger: 'o.e.n.Node' },
        },
      ],
    ],
  },
  {
    name: 'kafka',
    title: 'Apache Kafka',
    pattern: '[%{TIME}] %{LEVEL:level} %{GREEDYDATA:message}',
    time: 'iso8601',
    refine: (event) => {
      const logger = /\(([\w$.]+)\)\s*$/.exec(String(event['message']).split('\n', 1)[0]!)?.[1];
      if (logger === undefined) return false;
      event['log'] = { logger };
      return true;
    },
    examples: [
      [
        '[2025-03-14 09:26:53,589] WARN [Controller id=1] slow (kafka.controller.KafkaController)',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'WARN',
          log: { logger: 'kafka.controller.KafkaController' },
        },
      ],
    ],
  },
  {
    name: 'zookeeper',
    title: 'Apache ZooKeeper',
    pattern:
      '%{TIME}( [myid:%{DATA:zookeeper.myid}])? - %{LEVEL:level} [%{DATA:thread.name}] - %{GREEDYDATA:message}',
    time: 'iso8601',
    examples: [
      [
        '2015-07-29 19:04:12,394 - INFO  [/10.10.34.11:3888:QuorumCnxManager$Listener@493] - Received connection request',
        { timestamp: '2015-07-29T19:04:12.394000Z', level: 'INFO', message: 'Received connection request' },
      ],
    ],
  },
  {
    name: 'cassandra',
    title: 'Apache Cassandra: the level in front of the time',
    pattern: '%{LEVEL:level} [%{DATA:thread.name}] %{TIME} %{NOTSPACE:log.origin} - %{GREEDYDATA:message}',
    time: 'iso8601',
    examples: [
      [
        'WARN  [GossipTasks:1] 2025-03-14 09:26:53,589 FailureDetector.java:288 - Not marking nodes down',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'WARN',
          message: 'Not marking nodes down',
          log: { origin: 'FailureDetector.java:288' },
        },
      ],
    ],
  },
  {
    name: 'hdfs',
    title: 'Hadoop HDFS, short dates',
    pattern: '%{TIME} (%{INT:thread.id} )?%{LEVEL:level} %{LOGGER:log.logger}: %{GREEDYDATA:message}',
    time: '%y%m%d %H%M%S',
    examples: [
      [
        '081109 203518 143 INFO dfs.DataNode$DataXceiver: Receiving block blk_-7 src: /10.0.0.1:5',
        {
          timestamp: '2008-11-09T20:35:18.000000Z',
          level: 'INFO',
          log: { logger: 'dfs.DataNode$DataXceiver' },
        },
      ],
    ],
  },
  {
    name: 'spark',
    title: 'Apache Spark',
    pattern: '%{TIME} %{LEVEL:level} %{LOGGER:log.logger}: %{GREEDYDATA:message}',
    time: '%y/%m/%d %H:%M:%S',
    examples: [
      [
        '17/06/09 20:11:00 WARN python.PythonRunner: Times: total = 41',
        { timestamp: '2017-06-09T20:11:00.000000Z', level: 'WARN', message: 'Times: total = 41' },
      ],
    ],
  },
  {
    name: 'hadoop',
    title: 'Hadoop, YARN, HBase, Hive',
    pattern: '%{TIME} %{LEVEL:level} [%{DATA:thread.name}] %{LOGGER:log.logger}: %{GREEDYDATA:message}',
    time: 'iso8601',
    examples: [
      [
        '2015-10-18 18:01:47,978 INFO [AsyncDispatcher event handler] org.apache.hadoop.yarn.event.AsyncDispatcher: Registering class',
        {
          timestamp: '2015-10-18T18:01:47.978000Z',
          level: 'INFO',
          message: 'Registering class',
          thread: { name: 'AsyncDispatcher event handler' },
        },
      ],
    ],
  },
  {
    name: 'tomcat',
    title: 'Apache Tomcat',
    pattern: '%{TIME} %{LEVEL:level} [%{DATA:thread.name}] %{LOGGER:log.logger} %{GREEDYDATA:message}',
    time: '%d-%b-%Y %H:%M:%S',
    examples: [
      [
        '14-Mar-2025 09:26:53.589 SEVERE [main] org.apache.catalina.core.StandardServer.await Failed',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'SEVERE',
          message: 'Failed',
          log: { logger: 'org.apache.catalina.core.StandardServer.await' },
        },
      ],
    ],
  },
  {
    name: 'wildfly',
    title: 'WildFly and JBoss',
    pattern: '%{TIME} %{LEVEL:level} [%{LOGGER:log.logger}] \\(%{DATA:thread.name}\\) %{GREEDYDATA:message}',
    time: ['iso8601', '%H:%M:%S'],
    examples: [
      [
        '2025-03-14 09:26:53,589 INFO  [org.jboss.as] (Controller Boot Thread) WFLYSRV0025: started',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'INFO',
          message: 'WFLYSRV0025: started',
          thread: { name: 'Controller Boot Thread' },
        },
      ],
    ],
  },
  {
    name: 'openstack',
    title: 'OpenStack (oslo.log), also with the name of the file in front',
    pattern: [
      '%{TIME} %{INT:process.pid} %{LEVEL:level} %{LOGGER:log.logger} %{GREEDYDATA:message}',
      '%{NOTSPACE:file} %{TIME} %{INT:process.pid} %{LEVEL:level} %{LOGGER:log.logger} %{GREEDYDATA:message}',
    ],
    time: 'iso8601',
    levels: { AUDIT: 'info' },
    refine: (event) => {
      const { file } = event;
      delete event['file'];
      if (typeof file !== 'string')
        return /^[\w-]+(?:\.\w+)+$/.test(String((event['log'] as { logger: string }).logger));
      const service = /^(?:\S*\/)?([\w-]+)\.log\S*$/.exec(file)?.[1];
      if (service !== undefined) event['service'] = service;
      return service !== undefined;
    },
    examples: [
      [
        'nova-compute.log.1.2017-05-16_13:55:31 2017-05-16 00:00:04.500 2931 WARNING nova.virt.libvirt.imagecache [req-a - - - - -] Unknown base file',
        {
          timestamp: '2017-05-16T00:00:04.500000Z',
          level: 'WARNING',
          service: 'nova-compute',
          process: { pid: 2931 },
        },
      ],
    ],
  },
  {
    name: 'icinga',
    title: 'Icinga 2',
    pattern: '[%{TIME}] %{LEVEL:level}/%{NAME:log.logger}: %{GREEDYDATA:message}',
    time: 'iso8601',
    service: 'icinga2',
    examples: [
      [
        '[2025-03-14 09:26:53 +0100] warning/ApiListener: Unable to connect',
        { timestamp: '2025-03-14T08:26:53.000000Z', level: 'warning', log: { logger: 'ApiListener' } },
      ],
    ],
  },
  {
    name: 'nats',
    title: 'NATS',
    pattern: '[%{INT:process.pid}] %{TIME} [%{LEVEL:level}] %{GREEDYDATA:message}',
    time: '%Y/%m/%d %H:%M:%S',
    service: 'nats',
    examples: [
      [
        '[7] 2025/03/14 09:26:53.589793 [ERR] Error trying to connect to route',
        { timestamp: '2025-03-14T09:26:53.589793Z', level: 'ERR', process: { pid: 7 } },
      ],
    ],
  },
  {
    name: 'etcd',
    title: 'etcd before 3.5 (capnslog)',
    pattern: '%{TIME} %{WORD:level} | %{NAME:log.logger}: %{GREEDYDATA:message}',
    time: 'iso8601',
    levels: { E: 'error', W: 'warn', N: 'info', I: 'info', D: 'debug', T: 'trace', C: 'fatal' },
    service: 'etcd',
    examples: [
      [
        '2025-03-14 09:26:53.589793 W | etcdserver: request took too long',
        { timestamp: '2025-03-14T09:26:53.589793Z', level: 'warn', message: 'request took too long' },
      ],
    ],
  },
  {
    name: 'samba',
    title: 'Samba',
    pattern: '[%{TIME},%{SPACE}%{INT:samba.level}%{DATA}] %{NOTSPACE:log.origin}',
    time: '%Y/%m/%d %H:%M:%S',
    service: 'samba',
    refine: (event, text) => {
      const level = Number((event['samba'] as { level: number }).level);
      event['level'] = ['error', 'warn', 'info'][level] ?? 'debug';
      useLinesBelow(event, text);
    },
    examples: [
      [
        '[2025/03/14 09:26:53.589793,  0] ../../source3/smbd/server.c:1780(main)\n  smbd version 4',
        { timestamp: '2025-03-14T09:26:53.589793Z', level: 'error', message: 'smbd version 4' },
      ],
    ],
  },
  {
    name: 'cups',
    title: 'CUPS, error log',
    pattern: '%{LETTER:level} [%{TIME}] %{GREEDYDATA:message}',
    time: 'http',
    levels: {
      X: 'fatal',
      A: 'fatal',
      C: 'fatal',
      E: 'error',
      W: 'warn',
      N: 'info',
      I: 'info',
      D: 'debug',
      d: 'trace',
    },
    service: 'cups',
    examples: [
      [
        'E [14/Mar/2025:09:26:53 +0000] [Job 7] Unable to queue',
        { timestamp: '2025-03-14T09:26:53.000000Z', level: 'error', message: '[Job 7] Unable to queue' },
      ],
    ],
  },
  {
    name: 'fail2ban',
    title: 'Fail2ban',
    pattern: '%{TIME} %{NAME:log.logger} [%{INT:process.pid}]: %{LEVEL:level} %{GREEDYDATA:message}',
    time: 'iso8601',
    service: 'fail2ban',
    refine: (event) => /^fail2ban\b/.test((event['log'] as { logger: string }).logger),
    examples: [
      [
        '2025-03-14 09:26:53,589 fail2ban.actions        [7]: NOTICE  [sshd] Ban 203.0.113.9',
        { timestamp: '2025-03-14T09:26:53.589000Z', level: 'NOTICE', message: '[sshd] Ban 203.0.113.9' },
      ],
    ],
  },
  {
    name: 'dovecot',
    title: 'Dovecot',
    pattern: '%{TIME} %{DATA:log.logger}: %{LEVEL:level}: %{GREEDYDATA:message}',
    time: ['syslog', 'iso8601'],
    refine: (event) =>
      String((event['log'] as { logger?: string } | undefined)?.logger).split(' ').length < 3,
    examples: [
      [
        'Mar 14 09:26:53 imap-login: Warning: Auth process broken',
        {
          timestamp: '2025-03-14T09:26:53.000000Z',
          level: 'Warning',
          message: 'Auth process broken',
          log: { logger: 'imap-login' },
        },
      ],
    ],
  },
];
