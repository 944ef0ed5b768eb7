using NanoAspire.TransferPeer;

// source TRANSPORT BLOCKS BLOCK_BYTES DELAY_MS PORT [ADDRESS]: parks KV blocks and has them read.
// reader TRANSPORT BLOCKS BLOCK_BYTES [FRAME_TIMEOUT_MS]: pulls the hand-offs that stand on stdin.
// target TRANSPORT BYTES: owns memory that others write, as it grants.
// writer TRANSPORT BYTES FRAME_TIMEOUT_MS: writes to it.
// agent CTRL ALIAS SEED DELAY_MS: a peer agent.
// survive: loads UCX and makes mistakes.
// All but the last obey commands on stdin, one answer a line, and end with it.
return args[0] switch
{
    "source" => await Source.RunAsync(args),
    "reader" => await Reader.RunAsync(args),
    "target" => await Target.RunAsync(args),
    "writer" => await Writer.RunAsync(args),
    "agent" => await Agent.RunAsync(args),
    "survive" => Survival.Run(),
    _ => 2,
};
