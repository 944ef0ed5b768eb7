namespace NanoAspire.Native.Rdma.Ucx;

/// <summary>How UCX is driven; which devices and protocols it uses is told by its own <c>UCX_*</c> variables.</summary>
public sealed record UcxOptions
{
    /// <summary>
    /// How long a worker with something in flight looks for its end before it sleeps on events. Longer answers sooner and costs a
    /// core meanwhile; without anything in flight it always sleeps.
    /// </summary>
    public TimeSpan Spin { get; init; } = TimeSpan.FromMicroseconds(50);

    /// <summary>
    /// Accept that the owner's processor carries transfers out where no device does, as over TCP: to test links without RDMA. What is
    /// posted by a reader that then stops is carried out when it arrives, also after its pin has ended, so not for memory that anything depends on.
    /// </summary>
    public bool AcceptImitation { get; init; }

    public IEnumerable<string> Validate()
    {
        if (Spin < TimeSpan.Zero || Spin > TimeSpan.FromSeconds(1)) yield return "spin must be between 0 and 1 s";
    }
}
