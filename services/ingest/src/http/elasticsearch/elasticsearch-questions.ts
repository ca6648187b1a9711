import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import { IngestError } from '../../errors.ts';
import type { HttpReceiverContext } from '../http-receiver.ts';
import { sendElasticsearch } from './elasticsearch-response.ts';

/** The release whose API the receiver follows. Shippers refuse to talk to a release older than their own. */
const version = '9.5.1';
const uuid = 'logloom0000000000000000';

const basic = { status: 'active', uid: uuid, type: 'basic' };
const available = { available: true, enabled: true };
const health = {
  cluster_name: 'logloom',
  status: 'green',
  timed_out: false,
  number_of_nodes: 1,
  number_of_data_nodes: 1,
  active_primary_shards: 1,
  active_shards: 1,
  relocating_shards: 0,
  initializing_shards: 0,
  unassigned_shards: 0,
  active_shards_percent_as_number: 100,
};
const root = {
  name: 'logloom',
  cluster_name: 'logloom',
  cluster_uuid: uuid,
  version: {
    number: version,
    build_flavor: 'default',
    build_type: 'tar',
    build_hash: 'logloom',
    build_date: '2026-01-01T00:00:00.000Z',
    build_snapshot: false,
    lucene_version: '10.3.0',
    minimum_wire_compatibility_version: '8.19.0',
    minimum_index_compatibility_version: '8.0.0',
  },
  // Clients of version 7 look for it.
  tagline: 'You Know, for Search',
};

/** Shippers set these up before they send. Nothing here needs them: reading one returns 404, writing one is acknowledged. */
const setUp = [
  '/_index_template/:name',
  '/_component_template/:name',
  '/_template/:name',
  '/_ilm/policy/:name',
  '/_ingest/pipeline/:name',
  '/_data_stream/:name',
  '/_alias/:name',
  '/:index/_alias/:name',
  '/_aliases',
  '/:index/_mapping',
  '/:index/_settings',
  '/_cluster/settings',
];

/** Responds to what shippers and clients ask before and while they send; only while the service takes documents, so that they notice. */
export function registerElasticsearchQuestions(
  app: FastifyInstance,
  { state, reservedNames }: Pick<HttpReceiverContext, 'state' | 'reservedNames'>,
): void {
  const on = (method: HTTPMethods[], urls: string[], reply: Responder): void => {
    for (const url of urls)
      app.route({
        method,
        url,
        handler: async (request, response) => {
          // A path of another receiver is not Elasticsearch's, and neither is the response.
          if (reservedNames.has((request as Question).params.index ?? '')) return response.callNotFound();
          if (state.phase !== 'ready') throw new IngestError(state.phase);
          const json = reply(request as Question, response);
          return json === undefined ? response.send() : sendElasticsearch(response, JSON.stringify(json));
        },
      });
  };
  on(['GET'], ['/'], () => root);
  on(['GET'], ['/_license', '/_xpack/license'], () => ({ license: { ...basic, issued_to: 'logloom' } }));
  on(['GET'], ['/_xpack'], () => ({
    build: { hash: 'logloom', date: root.version.build_date },
    license: { ...basic, mode: 'basic' },
    features: { ilm: available, data_streams: available, security: { available: true, enabled: false } },
    tagline: root.tagline,
  }));
  on(['GET'], ['/_cluster/health', '/_cluster/health/:index'], () => health);
  on(['GET'], ['/_cat/health'], () => [{ cluster: 'logloom', status: 'green', 'node.total': '1' }]);
  on(['GET'], ['/_nodes', '/_nodes/:nodes', '/_nodes/:nodes/:metric'], nodes);
  on(['GET', 'DELETE'], setUp, () => {
    throw new IngestError('not-found');
  });
  on(['PUT', 'POST'], setUp, () => ({ acknowledged: true }));
  on(['GET'], ['/_ingest/pipeline', '/_index_template', '/_template', '/_ilm/policy'], () => ({}));
  on(['POST', 'GET'], ['/_refresh', '/:index/_refresh', '/_flush', '/:index/_flush'], () => ({
    _shards: { total: 1, successful: 1, failed: 0 },
  }));
  // An index exists as soon as somebody writes to it.
  on(['HEAD'], ['/:index'], () => undefined);
  on(['PUT'], ['/:index'], ({ params }) => ({
    acknowledged: true,
    shards_acknowledged: true,
    index: params.index,
  }));
  on(['GET', 'POST', 'PUT', 'DELETE'], ['/_*'], () => {
    throw new IngestError('not-found');
  });
}

type Question = FastifyRequest<{ Params: { index?: string } }>;
/** Returns what the response holds as JSON; undefined for an empty one. */
type Responder = (request: Question, reply: FastifyReply) => unknown;

/** Clients that sniff continue with the addresses in this response: the one that they used for the request. */
function nodes({ headers, socket }: Question): unknown {
  const address = headers.host ?? `${socket.localAddress}:${socket.localPort}`;
  const node = {
    name: 'logloom',
    version,
    build_flavor: 'default',
    roles: ['data', 'ingest', 'master'],
    http: { bound_address: [address], publish_address: address },
  };
  return { _nodes: { total: 1, successful: 1, failed: 0 }, cluster_name: 'logloom', nodes: { [uuid]: node } };
}
