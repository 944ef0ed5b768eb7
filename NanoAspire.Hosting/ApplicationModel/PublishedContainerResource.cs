namespace Aspire.Hosting.ApplicationModel;

/// <summary>The container that stands in for a project or executable when it is published from a Dockerfile. It shares the original's annotations.</summary>
internal sealed class PublishedContainerResource(IResource original) : ContainerResource(original.Name)
{
    public override ResourceAnnotationCollection Annotations => original.Annotations;

    /// <summary>Replaces the original in the model, at its place; without effect in a run.</summary>
    public static void Replace<T>(IResourceBuilder<T> original, string context, Action<IResourceBuilder<ContainerResource>>? configure) where T : IResource
    {
        var application = original.ApplicationBuilder;
        if (!application.ExecutionContext.IsPublishMode) return;
        var resource = original.Resource;
        var container = application.CreateResourceBuilder<ContainerResource>(new PublishedContainerResource(resource)).WithDockerfile(context);
        foreach (var args in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>().ToArray()) resource.Annotations.Remove(args);
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>().Where(e => e.IsHttp)) endpoint.TargetPort ??= 8080;
        var place = application.Resources.IndexOf(resource);
        if (place >= 0) application.Resources[place] = container.Resource;
        else application.Resources.Add(container.Resource);
        configure?.Invoke(container);
    }
}
