// Makes this mongod a replica set of one, once, and waits until it takes writes. Safe to repeat.
try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
for (let second = 0; !db.hello().isWritablePrimary; second += 1) {
  if (second === 60) throw new Error("no primary after 60 seconds");
  sleep(1000);
}
print("replica set rs0 takes writes");
