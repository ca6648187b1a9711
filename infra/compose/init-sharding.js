// Run by mongosh: makes the replica sets and adds the shards. Each step may have been done by an earlier run.
/* global connect, print, sleep */

const replicaSets = {
  config: ['mongo-config-1:27017', 'mongo-config-2:27017', 'mongo-config-3:27017'],
  'shard-1': ['mongo-shard-1a:27017', 'mongo-shard-1b:27017', 'mongo-shard-1c:27017'],
  'shard-2': ['mongo-shard-2a:27017', 'mongo-shard-2b:27017', 'mongo-shard-2c:27017'],
};
const alreadyInitialized = 23;

function initiate(name, hosts) {
  const first = connect(`mongodb://${hosts[0]}/admin?directConnection=true`);
  try {
    first.adminCommand({
      replSetInitiate: {
        _id: name,
        ...(name === 'config' ? { configsvr: true } : {}),
        members: hosts.map((host, _id) => ({ _id, host })),
      },
    });
  } catch (error) {
    if (error.code !== alreadyInitialized) throw error;
  }
}

/** Tries until it works; the job as a whole fails after two minutes. */
function eventually(what, action) {
  const deadline = Date.now() + 120_000;
  for (;;) {
    try {
      return action();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      print(`${what}: ${error.message}; retrying`);
      sleep(1000);
    }
  }
}

for (const [name, hosts] of Object.entries(replicaSets))
  eventually(`replica set ${name}`, () => initiate(name, hosts));
const mongos = eventually('mongos', () => connect('mongodb://mongos:27017/admin'));
for (const [name, hosts] of Object.entries(replicaSets))
  if (name !== 'config')
    eventually(`shard ${name}`, () => mongos.adminCommand({ addShard: `${name}/${hosts.join()}` }));
print(`shards: ${mongos.adminCommand({ listShards: 1 }).shards.map((shard) => shard._id)}`);
