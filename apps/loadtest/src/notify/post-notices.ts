import { AddressRules } from '@logloom/notify';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunResult } from '../result.ts';
import { prometheusText } from '../report/prometheus-text.ts';
import { noticeOf, slackMessage } from './notice.ts';

/** Where the end of a run is told. */
export interface NoticeReceivers {
  /** Get the notice as JSON. */
  webhooks?: readonly string[];
  /** Incoming webhooks of Slack, or of what takes their messages. */
  slack?: readonly string[];
  /** Base URLs of Pushgateways; they get the metrics of the run. */
  pushgateways?: readonly string[];
}

/** Who runs a load test names the receivers on the command line: they may be anywhere. */
const anywhere = new AddressRules(['0.0.0.0/0', '::/0']);
const attempts = 3;
const firstRetryMs = 500;

/**
 * Tells each receiver how the run ended; `report` is where its report can be read. Never rejects: returns a sentence for each that did not take
 * it, without the rest of its URL, which may be a secret.
 */
export async function postNotices(
  result: RunResult,
  report: string | undefined,
  { webhooks = [], slack = [], pushgateways = [] }: NoticeReceivers,
  signal: AbortSignal,
): Promise<string[]> {
  const notice = noticeOf(result, report);
  const json = 'application/json';
  const posts = [
    ...webhooks.map((url) => post('POST', url, JSON.stringify(notice), json, signal)),
    ...slack.map((url) => post('POST', url, JSON.stringify(slackMessage(notice)), json, signal)),
    ...pushgateways.map(async (url) =>
      // PUT replaces the whole group: what an earlier run had measured and this one has not is gone.
      post('PUT', groupOf(url, result), await prometheusText(result), 'text/plain; version=0.0.4', signal),
    ),
  ];
  return (await Promise.all(posts)).filter((problem) => problem !== undefined);
}

/** The scenarios of one Pushgateway do not replace each other. A name of any characters is base64, as the Pushgateway reads it. */
function groupOf(url: string, { scenario }: RunResult): string {
  const name = Buffer.from(scenario.name).toString('base64url');
  return `${url.replace(/\/+$/, '')}/metrics/job/logloom-loadtest/scenario@base64/${name}`;
}

/** Returns what went wrong. */
async function post(
  method: 'POST' | 'PUT',
  url: string,
  body: string,
  contentType: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  // Its HTTP client is loaded only here: the processes of the generator tell nobody.
  const { DeliveryError, postRequest } = await import('@logloom/notify/sending');
  let problem = '';
  for (let attempt = 0; attempt < attempts && !signal.aborted; attempt++) {
    if (attempt > 0) await sleep(firstRetryMs * 4 ** (attempt - 1), undefined, { signal }).catch(() => {});
    try {
      await postRequest({ method, url, headers: { 'content-type': contentType }, body }, anywhere, signal);
      return undefined;
    } catch (error) {
      problem = (error as Error).message.replace(originOf(url), 'it');
      if (!(error instanceof DeliveryError) || error.isFinal) break;
    }
  }
  return `${originOf(url)} was not told the verdict: ${problem}`;
}

function originOf(url: string): string {
  return URL.parse(url)?.origin ?? 'a receiver whose URL cannot be read';
}
