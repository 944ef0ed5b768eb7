using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Transfer;

/// <summary>Whether a ticket fits this engine and this prompt: everything that can be known before the first byte is read.</summary>
public static class TicketCheck
{
    /// <summary>Call it before blocks are reserved; <see cref="KvPuller"/> does again.</summary>
    /// <exception cref="KvTransferException"><see cref="KvTransferException.IncompatibleLayout"/>; the message names the first difference.</exception>
    public static void Validate(HandoffTicket ticket, IReadOnlyList<int> promptTokens, string? imagesDigest, KvLayout layout)
    {
        Require(ticket.Version == HandoffTicket.CurrentVersion, $"ticket version {ticket.Version}, expected {HandoffTicket.CurrentVersion}");
        Require(ticket.KvDigest == layout.Digest, "model, dtype or KV layout differ between prefill and decode");
        Require(ticket.BlockSize == layout.BlockSize, $"prefill has {ticket.BlockSize} tokens a block, decode {layout.BlockSize}");
        Require(ticket.BlockBytes == layout.BlockBytes, $"prefill has {ticket.BlockBytes} bytes a block, decode {layout.BlockBytes}");
        Require(ticket.PromptTokens == promptTokens.Count, $"prefill saw {ticket.PromptTokens} prompt tokens, decode {promptTokens.Count}");
        Require(ticket.PromptHash == KvChecksum.OfPrompt(promptTokens), "prefill and decode tokenised the prompt differently");
        Require(ticket.ImagesDigest == imagesDigest, (ticket.ImagesDigest, imagesDigest) switch
        {
            (not null, null) => "prefill saw images, decode text alone",
            (null, not null) => "prefill saw text alone, decode images",
            _ => "prefill and decode saw different images",
        });

        var blocks = (promptTokens.Count + layout.BlockSize - 1) / layout.BlockSize + layout.StateBlocks;
        Require(ticket.Blocks.Length == blocks, $"{ticket.Blocks.Length} blocks cannot hold exactly {promptTokens.Count} tokens{(layout.StateBlocks > 0 ? " and a state" : "")}: {blocks} expected");
        Require(ticket.Checksums.Length == blocks, $"{ticket.Checksums.Length} checksums for {blocks} blocks");
        var sourceBlocks = ticket.Source.Length / layout.BlockBytes;
        foreach (var block in ticket.Blocks)
            Require(block >= 0 && block < sourceBlocks, $"block {block} is outside of the source's {sourceBlocks} blocks");
    }

    private static void Require(bool condition, string difference)
    {
        if (!condition) throw new KvTransferException(KvTransferException.IncompatibleLayout, difference);
    }
}
