import { centrifugoTarget } from './centrifugo-target.ts';
import { logloomTarget } from './logloom-target.ts';
import { socketIoTarget } from './socket-io-target.ts';
import { sseTarget } from './sse-target.ts';
import type { Target, TargetKind, ViewerTarget } from './target.ts';
import { wsTarget } from './ws-target.ts';

const adapters: Record<TargetKind, (target: ViewerTarget) => Target> = {
  logloom: logloomTarget,
  ws: wsTarget,
  'socket.io': socketIoTarget,
  sse: sseTarget,
  centrifugo: centrifugoTarget,
};

export function openTarget(target: ViewerTarget): Target {
  return adapters[target.kind](target);
}
