namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value that is known only when the application runs.</summary>
public interface IValueProvider
{
    ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default);

    /// <summary>The value as the given consumer sees it (its network, its instance).</summary>
    ValueTask<string?> GetValueAsync(ValueProviderContext context, CancellationToken cancellationToken = default) => GetValueAsync(cancellationToken);
}
