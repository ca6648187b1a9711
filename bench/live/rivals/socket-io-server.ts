/** Socket.IO as its documentation sets it up: `socket-io-server.ts host:port [--recovery]`, which turns connection state recovery on. */
import { Server } from 'socket.io';
import { listen, publishPort } from './publish-port.ts';

const server = publishPort((line) => io.emit('log', JSON.parse(line)));
const isRecovering = process.argv.includes('--recovery');
const io = new Server(server, {
  ...(isRecovering && {
    connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
  }),
});
listen(server);
