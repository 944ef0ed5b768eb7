namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>Something that takes several turns of a <see cref="UcxThread"/>.</summary>
internal abstract class UcxWork
{
    /// <summary>Does the next piece; on the thread of the worker.</summary>
    /// <returns>False when there is nothing more to do; the work is over then.</returns>
    public abstract bool Advance();

    /// <summary>Work of one transfer is posted in the order in which it was started, that of different ones in turns.</summary>
    public abstract object Transfer { get; }

    /// <summary>Posts nothing until everything of <paramref name="earlier"/>, of the same transfer, is posted.</summary>
    public abstract void Follow(UcxWork earlier);

    /// <summary>True while something is left that this work may still post.</summary>
    public abstract bool IsPosting { get; }

    /// <summary>True when the next turn has something to do without waiting for an event.</summary>
    public abstract bool IsReady { get; }

    /// <summary>Operations posted and not complete.</summary>
    public abstract int InFlight { get; }

    /// <summary>Gives back what was posted, callbacks and all: the worker is about to be torn down.</summary>
    public abstract void Release();

    /// <summary>The worker is gone, and with it everything posted.</summary>
    public abstract void Fail(TransferException reason);
}
