using Aspire.Hosting.Publishing;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>What a parameter is worth when nobody set it.</summary>
public abstract class ParameterDefault
{
    /// <summary>Writes the default as the manifest's <c>inputs.value.default</c>.</summary>
    public abstract void WriteToManifest(ManifestPublishingContext context);
    public abstract string GetDefaultValue();
}
