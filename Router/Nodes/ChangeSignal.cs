using Microsoft.Extensions.Primitives;

namespace NanoAspire.Router.Nodes;

/// <summary>A change token that can be fired again and again: each firing replaces it by a fresh one.</summary>
internal sealed class ChangeSignal
{
    private ConfigurationReloadToken _token = new();

    public IChangeToken Token => Volatile.Read(ref _token);

    public void Fire() => Interlocked.Exchange(ref _token, new ConfigurationReloadToken()).OnReload();
}
