"""Speaks to a control plane and its Redis the way the original Python clients and peer agents do, and checks the answers.

usage: original_client.py http://host:port   (standard library only)
"""
import json
import socket
import sys
import threading
import urllib.request

BASE = sys.argv[1].rstrip("/")


class Client:
    """The registry client: one fresh connection a call, no retries, an error looks like an empty answer."""

    def __init__(self, scope=None):
        self.scope = scope
        self.registered = False
        self.id = None
        self.type = None
        self._stop = threading.Event()
        self._beating = None

    def post(self, path, body, timeout=5):
        body = dict(body)
        if self.scope:
            body["scope"] = self.scope
        request = urllib.request.Request(BASE + "/" + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=timeout) as response:
            return json.loads(response.read())

    def check_connection(self):
        with urllib.request.urlopen(BASE, timeout=5) as response:
            assert response.status == 200

    def register_engine(self, engine_id, extra):
        self.id, self.type = engine_id, "engine"
        self.registered = self.post("register_engine", {"engine_id": engine_id, **extra}, 10)["status"] == "ok"
        return self.registered

    def register(self, entity_id, kind, entity_type="service", endpoint=None, metadata=None, resource=None):
        self.id, self.type = entity_id, entity_type
        body = {"entity_type": entity_type, "entity_id": entity_id, "kind": kind, "metadata": metadata or {}}
        if endpoint is not None:
            body["endpoint"] = endpoint
        if resource is not None:
            body["resource"] = resource
        self.registered = self.post("register", body, 10)["status"] == "ok"
        return self.registered

    def heartbeat(self):
        try:
            return self.post("heartbeat", {"entity_type": self.type, "entity_id": self.id})["status"]
        except Exception:
            return "error"

    def heartbeat_engine(self):
        return self.post("heartbeat_engine", {"engine_id": self.id})["status"]

    def unregister(self):
        if self.type == "engine":
            return self.post("unregister_engine", {"engine_id": self.id})["status"] == "ok"
        return self.post("unregister", {"entity_type": self.type, "entity_id": self.id})["status"] == "ok"

    def get_redis_url(self):
        address = self.post("get_redis_address", {}, 10)["redis_address"]
        return address if address.startswith("redis://") else "redis://" + address

    def start_heartbeat(self, interval, on_not_found):
        def loop():
            while not self._stop.wait(interval):
                if self.heartbeat() == "not_found":
                    on_not_found()

        self._beating = threading.Thread(target=loop, daemon=True)
        self._beating.start()

    def stop(self):
        self._stop.set()
        self._beating.join(2)
        return self.unregister()


class Redis:
    """Just enough of the wire protocol, without password or database, as the agents connect."""

    def __init__(self, address):
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.file = self.socket.makefile("rb")

    def __call__(self, *parts):
        parts = [str(p).encode() for p in parts]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        return self.read()

    def read(self):
        line = self.file.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:].decode()
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RuntimeError(rest)
        if kind == b":":
            return int(rest)
        if int(rest) < 0:
            return None
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        return self.file.read(int(rest) + 2)[:-2].decode()


class Agent:
    """A peer agent with a pretended transport."""

    def __init__(self, alias, scope):
        self.scope, self.prefix = scope, scope + ":" if scope else ""
        self.client = Client(scope)
        resource = {"schema_version": 1, "host": {"hostname": "h", "address": "127.0.0.1"}, "nics": [{"name": "mlx5_0"}], "accelerators": [], "memory_keys": [], "topology_epoch": 1}
        reply = self.client.post("start_peer_agent", {"alias": alias, "address": "127.0.0.1", "resource": resource, "device": "mlx5_0", "ib_port": 1, "link_type": "RoCE"}, 10)
        self.name = reply["name"]
        assert reply["resource"] == resource
        self.redis = Redis(reply["redis_address"])
        self.redis("HSET", self.key("agent:" + self.name), "addr", "127.0.0.1", "resource", json.dumps(resource), "topology", json.dumps(resource), "memory_keys", "[]", "updated_at", "1")
        self.position, self.notified, self.connected = "0-0", set(), set()

    def key(self, name):
        return self.prefix + name

    def connect_to(self, peer):
        self.client.post("v1/desired_topology/" + self.name, {"target_peers": [peer]})

    def mailbox(self):
        """One round of the mailbox thread; returns the types it saw."""
        seen = []
        for _, entries in self.redis("XREAD", "COUNT", 100, "BLOCK", 5, "STREAMS", self.key("stream:" + self.name), self.position) or []:
            for entry_id, flat in entries:
                self.position = entry_id
                fields = dict(zip(flat[::2], flat[1::2]))
                float(fields["timestamp"])
                seen.append(fields["type"])
                peer = fields["peer"]
                if peer not in self.notified:
                    self.notified.add(peer)
                    meta = {"conn_id": f"{self.name}:mlx5_0:port1->{peer}:mlx5_0:port1#qp1", "src": self.name, "dst": peer}
                    self.redis("XADD", self.key("stream:" + peer), "MAXLEN", "~", 1000, "*", "type", "qp_ready", "peer", self.name, "timestamp", "1.5", "qp_info", "{}", "conn_meta", json.dumps(meta))
                    self.redis("SET", self.key(f"exchange:{self.name}:{peer}:{meta['conn_id']}"), "{}")
                if fields["type"] == "qp_ready":
                    assert json.loads(fields["conn_meta"])["src"] == peer
                    self.connected.add(peer)
        return seen

    def inbox(self):
        # The original reads a name with an empty scope before the colon when it has no scope.
        reply = self.redis("BLPOP", (self.scope or "") + ":inbox:" + self.name, 1)
        return json.loads(reply[1]) if reply else None


def engine_generation():
    engine = Client("py")
    engine.check_connection()
    fields = dict(role="prefill", world_size=1, num_blocks=10, host="127.0.0.1", port=6001, peer_addrs=["p0:0"], p2p_port=0, max_num_seqs=4, gdn_num_slots=2, model_path="/m")
    assert engine.register_engine("p0", fields)
    assert engine.register_engine("p0", {**fields, "p2p_port": 7001})
    info = engine.post("get_engine_info", {"engine_id": "p0"})["engine_info"]
    assert info["p2p_port"] == 7001 and info["gdn_num_slots"] == 2
    assert [e["id"] for e in engine.post("list_engines", {})["engines"]] == ["p0"]
    assert engine.heartbeat_engine() == "ok" and engine.heartbeat() == "ok"
    redis = Redis(engine.get_redis_url()[len("redis://"):].split("/")[0])
    assert redis("GET", "py:nano_meta:engine_revision") == "2"
    assert redis("HGET", "py:engine:p0", "model_path") == "/m"
    assert engine.unregister() and engine.heartbeat_engine() == "not_found"


def entity_generation():
    served = Client("py")
    again = threading.Event()

    def register():
        endpoint = {"host": "127.0.0.1", "port": 8100, "protocol": "http"}
        served.register("dlengine-m-127.0.0.1:8100", "dlengine", endpoint=endpoint, metadata={"served_model_name": "m", "role": "decode"})
        again.set()

    register()
    again.clear()
    served.start_heartbeat(0.05, register)
    listed = served.post("list_entities", {"entity_type": "service", "kind": "dlengine"})["entities"]
    assert [e["endpoint"]["port"] for e in listed] == [8100] and listed[0]["id"] == listed[0]["entity_id"]
    assert Client("py").post("unregister", {"entity_id": served.id})["status"] == "ok"
    assert again.wait(10), "a forgotten entity registers again"
    assert served.post("get_entity_info", {"entity_type": "service", "entity_id": served.id})["status"] == "ok"
    assert served.stop()
    assert served.post("get_entity_info", {"entity_type": "service", "entity_id": served.id})["entity_info"] is None


def peers(scope):
    a, b = Agent("a:0", scope), Agent("b:0", scope)
    try:
        Client(scope).post("start_peer_agent", {"alias": "a:0", "address": "127.0.0.1"})
        raise AssertionError("the alias is taken")
    except urllib.error.HTTPError as error:
        assert error.code == 409
    a.connect_to("b:0")
    seen_a, seen_b = a.mailbox(), b.mailbox()
    seen_a += a.mailbox()
    assert (seen_a, seen_b) == (["connect_peer", "qp_ready"], ["qp_ready"]), (seen_a, seen_b)
    assert a.connected == {"b:0"} and b.connected == {"a:0"}
    assert {p["name"] for p in a.client.post("query", {})} == {"a:0", "b:0"}

    record = {"agent_name": "a:0", "mr_name": "kv", "device": "mlx5_0", "ib_port": 1, "link_type": "RoCE", "addr": 2**63, "length": 64, "rkey": 3, "lkey": 0}
    a.redis("SET", a.key("mr:a:0:kv"), json.dumps(record))
    a.redis("SET", a.key("mr:a:0:kv:mlx5_0:1:RoCE"), json.dumps(record))
    assert b.client.post("get_mr_info", {"src": "b:0", "dst": "a:0", "mr_name": "kv"})["mr_info"]["addr"] == 2**63
    assert a.client.post("heartbeat", {"entity_type": "agent", "entity_id": "a:0"})["status"] == "ok"

    # Graceful shutdown deletes the agent's own spec before it asks for the cleanup: the peer must hear of it all the same.
    a.redis("DEL", a.key("spec:topology:a:0"))
    assert a.client.post("cleanup", {"agent_name": "a:0"})["status"] == "ok"
    assert b.inbox() == {"peer": "a:0", "type": "cleanup"}
    left = [k for k in a.redis("KEYS", a.key("*a:0*")) if "nano_index" not in k]
    assert left == [], left
    assert a.client.post("heartbeat", {"entity_type": "agent", "entity_id": "a:0"})["status"] == "not_found"
    b.client.post("cleanup", {"agent_name": "b:0"})


engine_generation()
entity_generation()
peers("py")
peers(None)
print("ok")
