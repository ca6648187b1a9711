/** `node infra/kubernetes/build-api-server.ts` builds Kubernetes' API server, which api-server.int.test.ts needs, from its Go module into the cache. */
import { goTool } from '../local/go-tool.ts';

console.log(await goTool('kube-apiserver', new AbortController().signal));
