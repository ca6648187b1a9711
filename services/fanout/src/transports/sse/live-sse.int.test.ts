import { holdServerMessage } from '@logloom/runtime/testing/hold-contract';
import { eventually } from '@logloom/testing';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ServerMessage } from '../../testing/live-client.ts';
import { LiveRig, type RunningTier } from '../../testing/live-rig.ts';

interface ReceivedEvent {
  id: string | undefined;
  message: ServerMessage;
}

/** For tests: reads an event stream as the specification says, as far as it is used here. */
class EventStream {
  readonly events: ReceivedEvent[] = [];
  readonly response: Response;
  comments = 0;
  ended = false;

  constructor(response: Response) {
    this.response = response;
    void this.#read()
      .catch(() => {})
      .finally(() => (this.ended = true));
  }

  get texts(): string[] {
    return this.events.flatMap(({ message }) => message.events ?? []).map((event) => event.message);
  }

  async #read(): Promise<void> {
    let rest = '';
    for await (const chunk of this.response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const field = (name: string): string | undefined =>
          block
            .split('\n')
            .find((line) => line.startsWith(`${name}: `))
            ?.slice(name.length + 2);
        if (block.startsWith(':')) this.comments++;
        const data = field('data');
        if (data === undefined) continue;
        const message = JSON.parse(data) as ServerMessage;
        holdServerMessage(message);
        this.events.push({ id: field('id'), message });
      }
    }
  }
}

describe('server-sent events', () => {
  let rig: LiveRig;
  let tier: RunningTier;
  const get = (query: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${tier.port}/live/sse${query}`, { headers });
  before(async () => {
    rig = await LiveRig.open();
    tier = await rig.start({ heartbeatMs: 200 });
  });
  after(() => rig.close());

  test('sends the messages of the protocol and resumes at Last-Event-ID', async () => {
    const first = new EventStream(await get('?filter=service:pay'));
    assert.equal(first.response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    await eventually('subscribed', () => first.events.some(({ message }) => message.type === 'subscribed'));
    // A line break between JSON tokens must not end the SSE line.
    await rig.append([rig.event({ service: 'pay', message: 'one', attributes: '{"a":\n1}' })]);
    await eventually('the first event', () => first.texts.length === 1);
    await eventually('a heartbeat', () => first.comments > 0);
    const { id, message } = first.events.find((event) => event.message.events !== undefined)!;
    assert.equal(id, message.cursor);
    await rig.append([rig.event({ service: 'pay', message: 'two' }), rig.event({ message: 'not this' })]);

    const second = new EventStream(await get('?filter=service:pay&from=tail:5', { 'last-event-id': id! }));
    await eventually('the second event', () => second.texts.length === 1);
    assert.deepEqual(second.texts, ['two']);
    assert.equal(second.events[1]!.message.resumed, true);
    const tail = new EventStream(await get('?filter=service:pay&from=tail:5'));
    await eventually('the tail', () => tail.texts.length === 2);
    for (const stream of [first, second, tail]) void stream.response.body!.cancel().catch(() => {});
  });

  test('responds to a wrong request before the stream starts', async () => {
    const error = async (query: string, headers = {}): Promise<[number, string, number?]> => {
      const response = await get(query, headers);
      const { error } = (await response.json()) as { error: { code: string; position?: number } };
      return [response.status, error.code, ...(error.position === undefined ? [] : [error.position])] as [
        number,
        string,
      ];
    };
    const [status, code, position] = await error('?filter=level:(x');
    assert.deepEqual([status, code, typeof position], [400, 'bad-filter', 'number']);
    assert.deepEqual(await error('?from=tail:no'), [400, 'bad-parameter']);
    assert.deepEqual(await error('?stream=rain'), [400, 'bad-parameter']);
    assert.deepEqual(await error('?from=gibberish'), [400, 'bad-cursor']);
    assert.deepEqual(await error('', { 'last-event-id': 'v1.c.x.0' }), [400, 'bad-cursor']);
    assert.deepEqual(await error('', { origin: 'https://evil.example' }), [403, 'bad-origin']);
  });

  test('says goodbye at a drain', async () => {
    const stream = new EventStream(await get(''));
    await eventually('hello and subscribed', () => stream.events.length === 2);
    await tier.stop();
    await eventually('the end', () => stream.ended);
    assert.equal(stream.events.at(-1)!.message.type, 'goodbye');
  });
});
