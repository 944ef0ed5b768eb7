namespace Aspire.Hosting.ApplicationModel;

/// <inheritdoc cref="ApplicationModel.ImagePullPolicy"/>
public sealed class ContainerImagePullPolicyAnnotation : IResourceAnnotation
{
    public required ImagePullPolicy ImagePullPolicy { get; set; }
}
