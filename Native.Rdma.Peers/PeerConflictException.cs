namespace NanoAspire.Native.Rdma.Peers;

/// <summary>The alias belongs to another agent.</summary>
public sealed class PeerConflictException(string alias, Exception? inner = null)
    : Exception($"the alias '{alias}' belongs to another agent: one name, one agent", inner)
{
    public string Alias => alias;
}
