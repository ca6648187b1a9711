import { freePort } from '@logloom/testing';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const rsyslogd = '/usr/sbin/rsyslogd';

/** Why a program cannot be used, or false. */
export function missing(program: 'rsyslogd' | 'syslog-ng' | 'logger'): false | string {
  if (program === 'rsyslogd') return existsSync(rsyslogd) ? false : 'no rsyslog';
  return spawnSync(program, ['--version']).status === 0 ? false : `no ${program}`;
}

/** rsyslog forwarding what it gets on TCP port `input`; the template and framing are rsyslog's own names for them. */
export const rsyslog =
  (template: string, framing: 'octet-counted' | 'traditional') =>
  (folder: string, input: number, output: number): [string, string[]] => {
    const file = join(folder, 'rsyslog.conf');
    writeFileSync(
      file,
      `global(workDirectory="${folder}" net.enableDNS="off" net.acladdhostnameonfail="off")
module(load="imtcp" maxSessions="10")
input(type="imtcp" port="${input}" address="127.0.0.1")
action(type="omfwd" target="127.0.0.1" port="${output}" protocol="tcp" tcp_framing="${framing}" template="${template}"
       queue.type="linkedlist" queue.size="20000" action.resumeretrycount="-1")
`,
    );
    return [rsyslogd, ['-n', '-f', file, '-i', join(folder, 'rsyslog.pid')]];
  };

/** syslog-ng likewise; `destination` is a driver of its own with %PORT% for ours. */
export const syslogNg =
  (destination: string) =>
  (folder: string, input: number, output: number): [string, string[]] => {
    const file = join(folder, 'syslog-ng.conf');
    writeFileSync(
      file,
      `@version: 3.38
options { keep-hostname(yes); use-dns(no); log-fifo-size(20000); stats-freq(0); };
source s { syslog(ip("127.0.0.1") port(${input}) transport("tcp")); };
destination d { ${destination.replace('%PORT%', String(output))}; };
log { source(s); destination(d); flags(flow-control); };
`,
    );
    const files = ['ctl', 'pid', 'persist'].map((name) => join(folder, `syslog-ng.${name}`));
    return ['syslog-ng', ['-F', '--no-caps', '-f', file, '-c', files[0]!, '-p', files[1]!, '-R', files[2]!]];
  };

/** Runs the daemon, sends it the messages with octet counting, and stops it when `done` resolves. */
export async function shipThrough(
  daemon: (folder: string, input: number, output: number) => [string, string[]],
  folder: string,
  output: number,
  messages: readonly string[],
  done: () => Promise<void>,
): Promise<void> {
  const input = await freePort();
  const [program, args] = daemon(folder, input, output);
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, TZ: 'UTC' },
  });
  try {
    const socket = await connected(input);
    socket.end(messages.map((message) => `${Buffer.byteLength(message)} ${message}`).join(''));
    await done();
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

async function connected(port: number): Promise<Socket> {
  for (const deadline = Date.now() + 60_000; ;) {
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
