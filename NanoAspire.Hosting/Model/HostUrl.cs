using NanoAspire.Hosting.Run;

namespace NanoAspire.Hosting.Model;

/// <summary>An address of this machine as whoever asks can use it: inside a container <c>localhost</c> is the container.</summary>
internal sealed class HostUrl(string url) : IValueProvider
{
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => new(url);

    public ValueTask<string?> GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken = default)
    {
        if (context.Containers is not { } network || !Uri.TryCreate(url, UriKind.Absolute, out var uri) || !uri.IsLoopback) return new(url);
        network.Expose(uri.Port);
        return new(new UriBuilder(uri) { Host = ContainerNetwork.HostName }.Uri.ToString().TrimEnd('/'));
    }
}
