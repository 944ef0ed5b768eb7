namespace NanoAspire.Native.Rdma.Peers;

/// <param name="Number">From 1.</param>
/// <param name="State">E.g. <c>ACTIVE</c>, <c>DOWN</c>.</param>
/// <param name="LinkType"><c>RoCE</c>, <c>IB</c>, <c>UNKNOWN</c>, or what the system says.</param>
public sealed record NetworkPort(int Number, string State, string LinkType)
{
    public const string Active = "ACTIVE", Unknown = "UNKNOWN";
}
