/** The cases, as kind/id, that are not read right yet. */
export const notYet: readonly string[] = [
  'mixed/mixed-concatenated',
  'mixed/mixed-concatenated-ndjson-type',
  'mixed/mixed-concatenated-spaces',
  'mixed/mixed-pretty-twice',
  'placeholder-ids/placeholder-zeros-in-front',
  'syslog/syslog-aix-forwarded',
  'syslog/syslog-cisco-ios-cet',
  'syslog/syslog-cisco-ios-uptime',
  'syslog/syslog-cisco-ise-space',
  'syslog/syslog-cisco-nxos',
  'syslog/syslog-cisco-xr',
  'syslog/syslog-cisco-xr-host-year',
  'syslog/syslog-fortigate',
  'syslog/syslog-fortigate-udp',
  'syslog/syslog-ipv6-host-2001',
  'syslog/syslog-json-odd-time',
];
