namespace NanoAspire.Engine.Kernels.Tests.Speculation;

/// <summary>What is wrong with a module that would else know what the model does.</summary>
internal enum ModuleFlaw
{
    None,
    /// <summary>Its projection of the embedding is noise.</summary>
    Entrance,
    /// <summary>Its attention finds nothing.</summary>
    SeesNoOtherPlaces,
}
