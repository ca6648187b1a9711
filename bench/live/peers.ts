import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** A server under test. */
export interface Peer {
  name: string;
  command: string[];
  cwd?: string;
  port: number;
  /** Where the publisher posts. */
  publishUrl: string;
  liveUrl: string;
  /** Options of wsload. */
  clientArgs: string[];
}

const root = join(import.meta.dirname, '../..');
const node = process.execPath;
/** A filter that every event of the publisher matches. */
export const everything = 'service:checkout';

export function subscribe(filter: string): string[] {
  return ['--hello', JSON.stringify({ type: 'subscribe', id: 'a', filter })];
}

/** The live tier of this tree (server.ts). */
export function logloom(clientArgs = subscribe(everything), port = 9105): Peer {
  return {
    name: 'logloom',
    command: [node, join(root, 'bench/live/server.ts'), `127.0.0.1:${port}`],
    port,
    publishUrl: `http://127.0.0.1:${port}/publish`,
    liveUrl: `ws://127.0.0.1:${port}/live`,
    clientArgs: ['--count-key', ...clientArgs],
  };
}

/**
 * The rivals and the load client, which are not part of this tree: a folder with `bin/` (wsload, publish, centrifuge-server,
 * nats-server) and `peers/` (ws-server.mjs with its node_modules), given by --tools or found beside the tree.
 */
export class Tools {
  readonly folder: string;

  /** Undefined, after it was said what is missing, where the load client is not there. */
  static find(): Tools | undefined {
    const at = process.argv.indexOf('--tools');
    const folders =
      at > 0
        ? [resolve(process.argv[at + 1] ?? '')]
        : [...parents()].map((folder) => join(folder, 'shared/tools'));
    const folder = folders.find((candidate) => existsSync(join(candidate, 'bin/wsload')));
    if (folder !== undefined) return new Tools(folder);
    console.log(
      `not run: no bin/wsload in ${folders.join(', ')}. --tools names the folder of the load client and the rivals, built as its README says.`,
    );
    process.exitCode = 1;
    return undefined;
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  get wsload(): string {
    return join(this.folder, 'bin/wsload');
  }

  get publish(): string {
    return join(this.folder, 'bin/publish');
  }

  /** Those of the rivals that are there; says which are not. */
  rivals(...names: ('ws' | 'centrifuge' | 'nats')[]): Peer[] {
    return names.flatMap((name) => {
      const peer = this.#peer(name);
      const missing = peer.command.filter((word) => word.startsWith('/') && !existsSync(word));
      if (missing.length === 0) return [peer];
      console.log(`without ${name}: ${missing.join(', ')} is missing`);
      process.exitCode = 1;
      return [];
    });
  }

  #peer(name: 'ws' | 'centrifuge' | 'nats'): Peer {
    const bin = join(this.folder, 'bin');
    const peers = join(this.folder, 'peers');
    switch (name) {
      case 'ws':
        return {
          name,
          command: [node, join(peers, 'ws-server.mjs')],
          cwd: peers,
          port: 9101,
          publishUrl: 'http://127.0.0.1:9101/publish',
          liveUrl: 'ws://127.0.0.1:9101/',
          clientArgs: [],
        };
      case 'centrifuge':
        return {
          name,
          command: [join(bin, 'centrifuge-server')],
          port: 9100,
          publishUrl: 'http://127.0.0.1:9100/publish',
          liveUrl: 'ws://127.0.0.1:9100/ws',
          clientArgs: [
            '--hello',
            '{"id":1,"connect":{}}\\n{"id":2,"subscribe":{"channel":"logs"}}',
            '--reply',
            '{}={}',
            '--count-key',
          ],
        };
      case 'nats':
        return {
          name,
          command: [join(bin, 'nats-server'), '-c', join(peers, 'nats.conf')],
          port: 9103,
          publishUrl: 'nats://127.0.0.1:9104/logs',
          liveUrl: 'ws://127.0.0.1:9103/',
          clientArgs: [
            '--binary',
            '--count-key',
            '--hello',
            'CONNECT {"verbose":false}\\r\\nSUB logs 1\\r\\n',
            '--reply',
            'PING\\r\\n=PONG\\r\\n',
          ],
        };
    }
  }
}

function* parents(): Generator<string> {
  for (let folder = root; ; folder = dirname(folder)) {
    yield folder;
    if (folder === dirname(folder)) return;
  }
}
