namespace NanoAspire.Hosting.Publishing;

/// <summary>Which compute environment a resource is deployed to.</summary>
internal static class ComputeEnvironments
{
    /// <summary>Gives every compute resource of the environment its deployment target, once the model is complete.</summary>
    public static void Assign(IDistributedApplicationBuilder builder, IComputeEnvironmentResource environment, Func<IResource, IResource> target) =>
        builder.Eventing.Subscribe<BeforeStartEvent>((e, _) =>
        {
            foreach (var resource in e.Model.GetComputeResources().Where(r => !r.IsExcludedFromPublish() && EnvironmentOf(r, e.Model) == environment).ToArray())
            {
                resource.Annotations.Add(new DeploymentTargetAnnotation(target(resource)) { ComputeEnvironment = environment });
            }
            return Task.CompletedTask;
        });

    /// <summary>Refuses, when the application starts to be published, a customization for an environment that the model does not have.</summary>
    public static void Require<TEnvironment>(IDistributedApplicationBuilder builder, IResource resource, string customization, string add) where TEnvironment : IComputeEnvironmentResource =>
        builder.Eventing.Subscribe<BeforeStartEvent>((e, _) => e.Model.Resources.OfType<TEnvironment>().Any()
            ? Task.CompletedTask
            : throw new DistributedApplicationException($"Resource '{resource.Name}' uses {customization}, but the model has no such environment: call {add}."));

    /// <summary>The resources that the environment deploys, with what they become.</summary>
    public static IEnumerable<(IResource Resource, TTarget Target)> Targets<TTarget>(DistributedApplicationModel model, IComputeEnvironmentResource environment) where TTarget : class =>
        from resource in model.Resources
        from annotation in resource.Annotations.OfType<DeploymentTargetAnnotation>()
        where annotation.ComputeEnvironment == environment
        select (resource, annotation.DeploymentTarget as TTarget ?? throw new DistributedApplicationException($"'{resource.Name}' has a deployment target of another environment."));

    /// <exception cref="DistributedApplicationException">The model has several environments and the resource names none.</exception>
    private static IComputeEnvironmentResource EnvironmentOf(IResource resource, DistributedApplicationModel model)
    {
        if (resource.TryGetLastAnnotation<ComputeEnvironmentAnnotation>(out var chosen)) return chosen.ComputeEnvironment;
        var all = model.Resources.OfType<IComputeEnvironmentResource>().ToArray();
        return all.Length == 1
            ? all[0]
            : throw new DistributedApplicationException($"Resource '{resource.Name}' is ambiguous: the model has {all.Length} compute environments ({string.Join(", ", all.Select(e => e.Name))}). Choose one with WithComputeEnvironment.");
    }
}
