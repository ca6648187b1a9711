/** The plain broadcast on `ws`, of what is posted and of what clients send: `ws-server.ts host:port`. */
import { WebSocket, WebSocketServer } from 'ws';
import { listen, publishPort } from './publish-port.ts';

function broadcast(line: string): void {
  const text = JSON.stringify(JSON.parse(line));
  for (const socket of sockets.clients) if (socket.readyState === WebSocket.OPEN) socket.send(text);
}

const server = publishPort(broadcast);
const sockets = new WebSocketServer({ server });
sockets.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data: Buffer) => broadcast(data.toString()));
});
listen(server);
