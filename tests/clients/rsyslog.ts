import { freePort } from '@logloom/testing';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lineCount } from './lines.ts';

const daemon = '/usr/sbin/rsyslogd';

/** Whether rsyslog is here, with its module for Elasticsearch. */
export const hasRsyslog = existsSync(daemon) && globSync('/usr/lib/*/rsyslog/omelasticsearch.so').length > 0;

/** The example of omelasticsearch's documentation; address and port are ours, and the ports that a test needs. */
const configuration = (folder: string, input: number, output: number): string => `
global(workDirectory="${folder}" net.enableDNS="off" net.acladdhostnameonfail="off")
module(load="imtcp" maxSessions="10")
module(load="omelasticsearch")
input(type="imtcp" port="${input}" address="127.0.0.1")
template(name="plain-syslog" type="list") {
  constant(value="{")
  constant(value="\\"@timestamp\\":\\"")      property(name="timereported" dateFormat="rfc3339")
  constant(value="\\",\\"host\\":\\"")        property(name="hostname")
  constant(value="\\",\\"severity\\":\\"")    property(name="syslogseverity-text")
  constant(value="\\",\\"facility\\":\\"")    property(name="syslogfacility-text")
  constant(value="\\",\\"tag\\":\\"")         property(name="syslogtag" format="json")
  constant(value="\\",\\"message\\":\\"")     property(name="msg" format="json")
  constant(value="\\"}")
}
action(type="omelasticsearch" server="127.0.0.1" serverport="${output}" template="plain-syslog"
       searchIndex="syslog-index" bulkmode="on" maxbytes="100m" queue.type="linkedlist" queue.size="20000"
       queue.dequeuebatchsize="300" action.resumeretrycount="-1")
`;

/** The priority of line `i`: facility local0, the severities in turn. */
export const priorityOf = (i: number): number => 16 * 8 + (i % 8);

/** The levels of syslog's severities, 0 to 7. */
export const syslogLevels = ['fatal', 'fatal', 'fatal', 'error', 'warn', 'info', 'info', 'debug'] as const;

/** The request id that line `i` names in its text, as OpenStack's services do. */
export const requestOf = (i: number): string =>
  `req-00000000-0000-4000-8000-${String(Math.floor(i / 10)).padStart(12, '0')}`;

/** Runs rsyslog with the lines on its TCP input until `done` resolves. */
export async function shipWithRsyslog(
  folder: string,
  port: number,
  service: string,
  firstMillis: number,
  done: () => Promise<void>,
): Promise<void> {
  const input = await freePort();
  const file = join(folder, 'rsyslog.conf');
  writeFileSync(file, configuration(folder, input, port));
  const child = spawn(daemon, ['-n', '-f', file, '-i', join(folder, 'rsyslog.pid')], { stdio: 'inherit' });
  try {
    const socket = await connected(input);
    for (let i = 0; i < lineCount; i++) {
      const time = new Date(firstMillis + i).toISOString();
      socket.write(`<${priorityOf(i)}>1 ${time} h1 ${service} 77 - - line ${i} [${requestOf(i)}]\n`);
    }
    socket.end();
    await done();
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

async function connected(port: number) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}
