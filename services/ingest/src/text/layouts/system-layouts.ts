import { levelOfText, levelsBySeverity } from '../../event/parse-level.ts';
import { parseSyslog } from '../../syslog/parse-syslog.ts';
import { formatMicros } from '@logloom/schemas';
import { microsOfText } from '../time/any-time.ts';
import { localContext } from '../time/scan-parts.ts';
import { fieldOf, setField, type LayoutSource, type TextEvent } from './layout.ts';

const syslogTimes = [
  'syslog',
  '%b %e %Y %H:%M:%S %z?',
  '%Y %b %e %H:%M:%S',
  '%b %e %H:%M:%S %Y',
  '%b %e %H:%M:%S %z?',
  'iso8601',
  'epoch',
];
const levelInFront = /^[[(<]?([A-Za-z]{3,8})[\])>]?(?::|\s|$)/;

function refineSyslog(event: TextEvent): boolean {
  const { host, priority } = event;
  delete event['priority'];
  // In `2026-01-01 00:00:00 INFO main: …` there is no host.
  if (
    typeof host !== 'string' ||
    levelOfText(host) !== undefined ||
    (/^[\d.,]*$/.test(host) && !/^\d+(?:\.\d+){3}$/.test(host))
  )
    return false;
  if (typeof priority === 'number') event['level'] = levelsBySeverity[priority & 7];
  else levelFromMessage(event);
  return true;
}

/** A level that the message begins with, in capitals or brackets; the message keeps it. */
function levelFromMessage(event: TextEvent): void {
  const match = levelInFront.exec(String(event['message']));
  if (match === null || levelOfText(match[1]!) === undefined) return;
  if (match[1] === match[1]!.toUpperCase() || /^[[(<]|:/.test(match[0]) || match[0].endsWith(':'))
    event['level'] = match[1]!;
}

/** Operating systems, supercomputers and devices. */
export const systemLayouts: readonly LayoutSource[] = [
  {
    name: 'syslog',
    title: "files of syslog servers, journalctl's output: Linux, macOS, OpenSSH, cron, sudo",
    pattern: [
      '(<%{INT:priority}>)?%{TIME} %{HOST:host} %{DATA:service}[%{DIGITS:syslog.procid}]( \\(%{DATA:syslog.context}\\))?: %{GREEDYDATA:message}',
      '(<%{INT:priority}>)?%{TIME} %{HOST:host} %{DATA:service}[%{DIGITS:syslog.procid}]( \\(%{DATA:syslog.context}\\))?:%{GREEDYDATA:message}',
      '(<%{INT:priority}>)?%{TIME} %{HOST:host} %{NOTSPACE:service} %{GREEDYDATA:message}',
    ],
    time: syslogTimes,
    refine: (event, text) => {
      const service = String(event['service']);
      const hasPid = fieldOf(event, 'syslog.procid') !== undefined;
      if (!hasPid && !service.endsWith(':')) return false;
      // `2026-01-01 00:00:00 TLS Error: …` is a message: with a blank in the time, only a number tells a tag.
      if (!hasPid && /^(?:<\d+>)?\d{4}-\d\d-\d\d /.test(text)) return false;
      // A tag may have blanks on macOS, `Microsoft Word[7]`, but is no sentence.
      if (service.length > 64 || service.slice(0, -1).includes(': ') || service.split(' ').length > 4)
        return false;
      const [, name, context] = /^(.+?)(?:\(([^)]*)\))?:?$/.exec(service) ?? [];
      if (name === undefined || levelOfText(name) !== undefined || (!hasPid && !/^[A-Za-z_%]/.test(name)))
        return false;
      event['service'] = name;
      if (context !== undefined) setField(event, ['syslog', 'context'], context);
      return refineSyslog(event);
    },
    examples: [
      [
        'Mar 14 09:26:53 web-1 sshd[42]: Failed password for root',
        {
          timestamp: '2025-03-14T09:26:53.000000Z',
          service: 'sshd',
          host: 'web-1',
          message: 'Failed password for root',
          syslog: { procid: '42' },
        },
      ],
      [
        'Mar 14 09:26:53 combo sshd(pam_unix)[19939]: check pass; user unknown',
        { service: 'sshd', host: 'combo', message: 'check pass; user unknown' },
      ],
      [
        'Jul  2 15:46:40 calvisitor-1 Microsoft Word[14463]: Hub failed',
        { service: 'Microsoft Word', host: 'calvisitor-1', message: 'Hub failed' },
      ],
      [
        'Jul  1 09:00:55 calvisitor-1 com.apple.xpc.launchd[1] (com.apple.mdworker): Service only ran',
        { service: 'com.apple.xpc.launchd', message: 'Service only ran' },
      ],
      [
        '<11>Mar 14 09:26:53 web-1 kernel: [12.345678] oops',
        { level: 'error', service: 'kernel', message: '[12.345678] oops' },
      ],
    ],
  },
  {
    name: 'syslog-5424',
    title: 'files of syslog servers, RFC 5424',
    pattern:
      '<%{INT:priority}>1 %{TIME} %{NOTSPACE:host} %{NOTSPACE:service} %{NOTSPACE:syslog.procid} %{NOTSPACE:syslog.msgid}%{GREEDYDATA:message}',
    time: 'iso8601',
    refine: (event, text) => {
      const { priority } = event;
      delete event['priority'];
      event['level'] = levelsBySeverity[Number(priority) & 7];
      const { data, message } = parseSyslog(text, 0);
      event['message'] = message;
      setField(event, ['syslog', 'structuredData'], data);
    },
    examples: [
      [
        '<11>1 2025-03-14T09:26:53Z node-1 app 12 ID47 [ctx@1 order="5"] failed',
        {
          timestamp: '2025-03-14T09:26:53.000000Z',
          level: 'error',
          host: 'node-1',
          service: 'app',
          message: 'failed',
          syslog: { procid: '12', msgid: 'ID47', structuredData: { 'ctx@1': { order: '5' } } },
        },
      ],
      ['<14>1 2025-03-14T09:26:53Z node-1 app - - - fine', { level: 'info', message: 'fine' }],
    ],
  },
  {
    name: 'syslog-repeated',
    title: 'files of syslog servers, lines without a tag',
    pattern: '%{TIME} %{HOST:host} %{GREEDYDATA:message}',
    time: syslogTimes,
    refine: (event) =>
      /^(?:(?:last )?message repeated |-- MARK|--- |exiting on signal)/.test(String(event['message'])) &&
      refineSyslog(event),
    examples: [
      [
        'Mar 14 09:26:53 web-1 last message repeated 2 times',
        { host: 'web-1', message: 'last message repeated 2 times' },
      ],
    ],
  },
  {
    name: 'tai64n',
    title: 'multilog, svlogd, s6-log',
    pattern: '@%{HEX:time} %{GREEDYDATA:message}',
    refine: (event) => {
      const micros = microsOfText(`@${String(event['time'])}`, localContext(0));
      delete event['time'];
      if (Number.isNaN(micros)) return false;
      event['timestamp'] = formatMicros(micros);
      return true;
    },
    examples: [
      ['@4000000067d3f40723281998 started', { timestamp: '2025-03-14T09:16:45.589830Z', message: 'started' }],
    ],
  },
  {
    name: 'dmesg',
    title: 'the kernel (dmesg), with seconds since the start',
    pattern: '[%{SPACE}%{NUMBER:kernel.uptime_s}] %{GREEDYDATA:message}',
    service: 'kernel',
    refine: (event, text) => {
      const mark = /^\((EE|WW|II|NI|DB)\) /.exec(String(event['message']))?.[1];
      if (mark !== undefined) event['level'] = { EE: 'error', WW: 'warn' }[mark] ?? 'info';
      return /^\[ *\d+\.\d{2,6}\]/.test(text);
    },
    examples: [
      [
        '[   12.345678] usb 1-1: device descriptor read error',
        { service: 'kernel', message: 'usb 1-1: device descriptor read error' },
      ],
    ],
  },
  {
    name: 'auditd',
    title: 'Linux audit',
    pattern:
      '(node=%{NOTSPACE:host} )?type=%{WORD:audit.type} msg=audit\\(%{TIME}:%{INT:audit.serial}\\):%{GREEDYDATA:message}',
    time: 'epoch',
    service: 'auditd',
    refine: (event) => void (event['message'] = String(event['message']).trimStart()),
    examples: [
      [
        'type=USER_LOGIN msg=audit(1741944413.589:7): pid=1 res=failed',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          message: 'pid=1 res=failed',
          audit: { type: 'USER_LOGIN', serial: 7 },
        },
      ],
    ],
  },
  {
    name: 'windows-cbs',
    title: 'Windows servicing: CBS, DISM',
    pattern: '%{TIME}, %{LEVEL:level} %{WORD:log.logger} %{GREEDYDATA:message}',
    time: 'iso8601',
    examples: [
      [
        '2016-09-28 04:30:30, Warning               CBS    Unrecognized packageExtended attribute.',
        {
          timestamp: '2016-09-28T04:30:30.000000Z',
          level: 'Warning',
          message: 'Unrecognized packageExtended attribute.',
          log: { logger: 'CBS' },
        },
      ],
    ],
  },
  {
    name: 'proxifier',
    title: 'Proxifier',
    pattern: '[%{TIME}] %{DATA:process.name} - %{GREEDYDATA:message}',
    time: '%m.%d %H:%M:%S',
    examples: [
      [
        '[10.30 16:49:07] firefox.exe *64 - proxy.example.com:5070 close, 403 bytes sent',
        {
          timestamp: '2025-10-30T16:49:07.000000Z',
          process: { name: 'firefox.exe *64' },
          message: 'proxy.example.com:5070 close, 403 bytes sent',
        },
      ],
    ],
  },
  {
    name: 'bgl',
    title: 'Blue Gene/L: label, epoch, date, node, time, node, type, component, level',
    pattern:
      '%{NOTSPACE:bgl.label} %{TIME} %{NOTSPACE} %{NOTSPACE:host} %{NOTSPACE} %{NOTSPACE} %{WORD:bgl.type} %{WORD:log.logger} %{LEVEL:level} %{GREEDYDATA:message}',
    time: 'epoch',
    levels: { FAILURE: 'fatal' },
    examples: [
      [
        'KERNDTLB 1117838976 2005.06.03 R30-M0-N9-C:J16-U01 2005-06-03-15.49.36.156884 R30-M0-N9-C:J16-U01 RAS KERNEL FATAL data TLB error interrupt',
        {
          timestamp: '2005-06-03T22:49:36.000000Z',
          level: 'FATAL',
          host: 'R30-M0-N9-C:J16-U01',
          message: 'data TLB error interrupt',
          bgl: { label: 'KERNDTLB', type: 'RAS' },
        },
      ],
    ],
  },
  {
    name: 'thunderbird',
    title: 'Thunderbird, Spirit, Liberty: label, epoch, date, node, syslog',
    pattern: [
      '%{NOTSPACE:hpc.label} %{TIME} %{NOTSPACE} %{NOTSPACE:host} %{WORD} %{DIGITS} %{NOTSPACE:clock} %{NOTSPACE} %{NOTSPACE:service} %{GREEDYDATA:message}',
      '%{NOTSPACE:hpc.label} %{TIME} %{NOTSPACE} %{NOTSPACE:host} %{WORD} %{DIGITS} %{NOTSPACE:clock} %{GREEDYDATA:message}',
    ],
    time: 'epoch',
    refine: (event) => {
      if (!/^\d\d:\d\d:\d\d$/.test(String(event['clock']))) return false;
      delete event['clock'];
      const { service } = event;
      delete event['service'];
      if (typeof service !== 'string') return true;
      const tag = /^(?:\S*\/)?([\w.-]+)(?:\([^)]*\))?(?:\[(\d+)\])?:$/.exec(service);
      if (tag === null) event['message'] = `${service} ${String(event['message'])}`;
      else {
        event['service'] = tag[1];
        setField(event, ['syslog', 'procid'], tag[2]);
      }
      return true;
    },
    examples: [
      [
        '- 1131566479 2005.11.09 dn754 Nov 9 12:01:19 dn754/dn754 crond(pam_unix)[2913]: session opened',
        {
          timestamp: '2005-11-09T20:01:19.000000Z',
          service: 'crond',
          host: 'dn754',
          message: 'session opened',
        },
      ],
    ],
  },
  {
    name: 'hpc',
    title: 'HPC: number, node, component, state, epoch, flag',
    pattern:
      '%{INT:hpc.id} %{NAME:host} %{NAME:log.logger} %{NOTSPACE:hpc.state} %{TIME} %{DIGITS:hpc.flag} %{GREEDYDATA:message}',
    time: 'epoch',
    examples: [
      [
        '2557 node-148 unix.hw state_change.unavailable 1074119817 1 Component State Change',
        { timestamp: '2004-01-14T22:36:57.000000Z', host: 'node-148', message: 'Component State Change' },
      ],
    ],
  },
  {
    name: 'esxi',
    title: 'VMware ESXi and vCenter',
    pattern: [
      '%{TIME} %{LEVEL:level} %{NAME:service}[%{NOTSPACE:process.id} [%{DATA:vmware.origin}] %{GREEDYDATA:message}',
      '%{TIME} %{WORD:level}\\(%{INT:syslog.priority}\\)([%{DATA}])? %{NAME:service}[%{DATA:process.id}]: %{GREEDYDATA:message}',
    ],
    time: 'iso8601',
    levels: {
      In: 'info',
      Wa: 'warn',
      Er: 'error',
      Cr: 'fatal',
      Al: 'fatal',
      Em: 'fatal',
      No: 'info',
      Db: 'debug',
    },
    refine: (event) => {
      const id = fieldOf(event, 'process.id');
      if (typeof id === 'string') event['process'] = { id: id.replace(/\]$/, '') };
    },
    examples: [
      [
        '2025-03-14T09:26:53.589Z warning hostd[2099] [Originator@6876 sub=Vimsvc] Task failed',
        {
          timestamp: '2025-03-14T09:26:53.589000Z',
          level: 'warning',
          service: 'hostd',
          message: 'Task failed',
          process: { id: '2099' },
        },
      ],
      [
        '2025-03-14T09:26:53.589Z Er(163) vmkernel[2099]: lost access',
        { level: 'error', service: 'vmkernel', message: 'lost access' },
      ],
    ],
  },
  {
    name: 'macos-unified',
    title: 'macOS, log show',
    pattern:
      '%{TIME} 0x%{HEX:thread.id} %{WORD:level} 0x%{HEX} %{INT:process.pid} %{INT} %{DATA:service}: %{GREEDYDATA:message}',
    time: 'iso8601',
    levels: { Default: 'info', Activity: 'info', Fault: 'fatal' },
    examples: [
      [
        '2025-03-14 09:26:53.589793+0100 0x1f4b     Error       0x0                  123    0    locationd: (CoreLocation) timeout',
        { timestamp: '2025-03-14T08:26:53.589793Z', level: 'Error', service: 'locationd' },
      ],
    ],
  },
  {
    name: 'dpkg',
    title: 'dpkg',
    pattern: '%{TIME} %{GREEDYDATA:message}',
    time: '%Y-%m-%d %H:%M:%S',
    service: 'dpkg',
    refine: (event) =>
      /^(?:status|startup|install|upgrade|configure|trigproc|remove|purge|conffile) \S/.test(
        String(event['message']),
      ) && /:(?:amd64|arm64|all|i386|armhf)\b|^startup /.test(String(event['message'])),
    examples: [
      [
        '2025-03-14 09:26:53 upgrade curl:amd64 8.0 8.1',
        { timestamp: '2025-03-14T09:26:53.000000Z', service: 'dpkg', message: 'upgrade curl:amd64 8.0 8.1' },
      ],
    ],
  },
];
